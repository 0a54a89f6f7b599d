import math

import numpy as np
import pytest
import torch
from torch import Generator, nn

from isthmus import Adam, Bernoulli, Callback, Dense, Gaussian, GaussianNoise, TrainingWarning
from isthmus.core.contract import Stochastic
from isthmus.core.initialisation import initialise
from isthmus.data.rows import Rows
from isthmus.engine import Plan, Trainer
from isthmus.engine.schedules import SCHEDULES, schedule
from isthmus.parts.composition import compose


class Line(nn.Module):
    """Fits one number to the rows' means, and remembers which rows it saw; in place of a network."""

    warm_up_share = 0.0
    likelihood = code = corruption = None

    def __init__(self, start=0.0):
        super().__init__()
        self.encoder = self.decoder = nn.Identity()
        self.number = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.batches = []

    def terms(self, x, weight=None):
        if self.training:
            self.batches.append(x[:, 0].tolist())
        return {"nll": (x - self.number).square().mean(1)}

    def begin(self, progress):
        self.progress = progress

    def seed(self, generator):
        self.generator = generator

    def finite(self):
        return bool(torch.isfinite(self.number))


class Spoilt(Line):
    """From some step on, the loss or the weight is not a number."""

    def __init__(self, step, loss=math.nan, number=None):
        super().__init__()
        self.step, self.loss, self.spoilt = step, loss, number

    def terms(self, x, weight=None):
        terms = super().terms(x, weight)
        if len(self.batches) >= self.step:
            if self.spoilt is not None:
                self.number.data.fill_(self.spoilt)
            else:
                terms = {"nll": terms["nll"] * self.loss}
        return terms


def trainer(network=None, rows=20, held_out=0, callbacks=(), seed=0, weight=None, optimiser=None, **plan):
    """Train on rows whose first value is their number; the last `held_out` of them are validation rows."""
    X = np.arange(rows, dtype=float)[:, None] * np.ones((1, 3))
    plan = Plan(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.1} | plan)
    index = torch.arange(rows)
    table = Rows(X, weight, dtype=torch.float64)
    return Trainer(
        Line() if network is None else network,
        table,
        index[: rows - held_out],
        index[rows - held_out :],
        plan,
        Generator().manual_seed(seed),
        callbacks,
        optimiser,
    )


def autoencoder(seed=0, **parts):
    network = compose(3, 2, **{"encoder": Dense((5,))} | parts).double()
    initialise(network, "orthogonal", Generator().manual_seed(seed))
    return network


def per_epoch(made):
    batches = made.network.batches
    return [batches[start : start + made.batches] for start in range(0, len(batches), made.batches)]


# -- batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 16, 17, 100])
@pytest.mark.parametrize("batch_size", [1, 8, 64, 1000])
def test_every_row_once_an_epoch_in_batches_of_equal_size(rows, batch_size):
    made = trainer(rows=rows, batch_size=batch_size)
    made.fit()
    epochs = per_epoch(made)
    assert len(epochs) == 3
    for batches in epochs:
        assert len(batches) == math.ceil(rows / batch_size)
        sizes = [len(batch) for batch in batches]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1
        assert sorted(row for batch in batches for row in batch) == list(range(rows))


def test_validation_rows_are_not_trained_on():
    made = trainer(rows=50, held_out=10)
    made.fit()
    assert {row for batch in made.network.batches for row in batch} == set(range(40))


def test_order_is_new_every_epoch_and_comes_from_the_generator():
    first, again, other = trainer(rows=50), trainer(rows=50), trainer(rows=50, seed=1)
    for made in (first, again, other):
        made.fit()
    one, two, three = per_epoch(first)
    assert one != two != three
    assert per_epoch(again) == [one, two, three]
    assert per_epoch(other)[0] != one


def test_no_global_random_state():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    trainer(autoencoder(corruption=GaussianNoise())).fit()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("other", [False, True])
def test_noise_comes_from_the_generator(other):
    weights = []
    for seed in (0, int(other)):
        made = trainer(autoencoder(corruption=GaussianNoise()), seed=seed, batch_size=20)
        made.fit()
        weights.append(torch.cat([p.detach().flatten() for p in made.network.parameters()]))
    assert torch.equal(*weights) is not other


def test_noise_differs_from_run_to_run_of_one_generator():
    generator = Generator().manual_seed(0)
    made = [trainer(autoencoder(corruption=GaussianNoise()), epochs=1, batch_size=20) for _ in range(2)]
    for one in made:
        one.generator = generator
        one.fit()
    assert not np.array_equal(*[one.history["loss"] for one in made])


# -- steps ------------------------------------------------------------------------------------------------------------


class EachStep(Callback):
    def __init__(self):
        self.rates, self.numbers = [], []

    def on_step_end(self, trainer):
        self.rates.append(trainer.optimiser.param_groups[0]["lr"])
        self.numbers.append((trainer.epoch, trainer.step, trainer.steps))


@pytest.mark.parametrize("name", SCHEDULES)
def test_learning_rate_follows_the_schedule(name):
    record = EachStep()
    made = trainer(schedule=name, callbacks=[record], epochs=4)
    history = made.fit()
    steps = 4 * made.batches
    expected = [0.1 * schedule(name)(step / steps) for step in range(steps)]
    assert record.rates == pytest.approx(expected)
    assert history["learning_rate"] == pytest.approx(expected[made.batches - 1 :: made.batches])
    assert record.numbers[0] == (0, 1, steps)
    assert record.numbers[-1] == (3, steps, steps)


def test_one_full_batch_is_gradient_descent_with_adam():
    made = trainer(batch_size=20, epochs=5, schedule="constant")
    made.fit()
    parameter = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
    optimiser = Adam().build([parameter], 0.1)
    for _ in range(5):
        parameter.grad = 2 * (parameter.detach() - np.arange(20).mean())
        optimiser.step()
    torch.testing.assert_close(made.network.number.detach(), parameter.detach())


def test_weights_count_rows():
    counts = np.array([1.0, 3.0, 2.0, 1.0])
    weighted = trainer(rows=4, weight=counts, epochs=5)
    weighted.fit()
    repeated = trainer(rows=4, epochs=5)
    repeated.index = torch.from_numpy(np.repeat(np.arange(4), counts.astype(int)))
    repeated.fit()
    torch.testing.assert_close(weighted.network.number, repeated.network.number)
    np.testing.assert_allclose(weighted.history["loss"], repeated.history["loss"])


def test_an_optimiser_given_goes_on():
    network = Line()
    first = trainer(network, epochs=2)
    first.fit()
    second = trainer(network, epochs=1, optimiser=first.optimiser)
    assert second.optimiser is first.optimiser
    second.fit()
    assert second.optimiser.state[network.number]["step"] == first.batches * 3


# -- the best weights -------------------------------------------------------------------------------------------------


def test_best_weights_by_validation_come_back():
    made = trainer(epochs=30, schedule="constant", learning_rate=0.2)
    # On its way from 0 to the mean of the others, 10, the number passes that of the validation rows, 4.
    made.validation, made.index = torch.tensor([3, 4, 5]), torch.tensor([0, 1, 2, *range(6, 20)])
    history = made.fit()
    losses = history["val_loss"]
    assert 0 < np.argmin(losses) < len(losses) - 1, "the best epoch must lie inside the run, or nothing is tested"
    assert history.best_epoch == history["epoch"][np.argmin(losses)]
    assert made.validate(made.validation)["loss"] == losses.min()
    assert made.network.number.item() == pytest.approx(4, abs=0.5)


def test_start_competes_for_the_best_weights():
    made = trainer(Line(18.0), rows=20, held_out=2, learning_rate=1.0)
    history = made.fit()
    assert history["epoch"][0] == 0
    assert math.isnan(history["loss"][0])
    assert history["learning_rate"][0] == 0
    assert history.best_epoch == 0
    assert made.network.number.item() == 18.0


def test_without_validation_the_last_weights_stay():
    made = trainer()
    history = made.fit()
    assert history["epoch"].tolist() == [1, 2, 3]
    assert not [column for column in history.columns if column.startswith("val_")]
    assert history.best_epoch == 3
    assert history.stopped == "all 3 epochs done"
    assert made.network.number.item() != 0


@pytest.mark.parametrize("patience", [1, 3])
def test_patience(patience):
    made = trainer(Line(18.5), rows=20, held_out=2, epochs=50, learning_rate=1.0, patience=patience)
    history = made.fit()
    assert history.stopped == f"no better validation loss in {patience} epochs"
    assert made.epoch == history.best_epoch + patience
    assert len(history) == made.epoch + 1


def test_patience_waits_for_what_warms_up_or_anneals():
    line = Line(18.5)
    line.warm_up_share = 0.25
    made = trainer(line, rows=20, held_out=2, epochs=50, learning_rate=1.0, patience=3)
    made.fit()
    assert made.epoch == 13 + 3


def test_without_patience_all_epochs():
    made = trainer(Line(18.5), rows=20, held_out=2, epochs=30, learning_rate=1.0)
    assert made.fit().stopped == "all 30 epochs done"
    assert made.epoch == 30


def test_validation_loss_is_noise_free_and_over_all_validation_rows():
    made = trainer(autoencoder(corruption=GaussianNoise(5.0)), rows=3000, held_out=2500)
    network, rows = made.network.eval(), made.rows
    x, _ = rows.batch(made.validation)
    with torch.no_grad():
        expected = network.terms(x)["nll"].mean().item()
    made.network.train()
    assert made.validate(made.validation)["loss"] == pytest.approx(expected)
    assert made.validate(made.validation) == made.validate(made.validation)


def test_validation_loss_is_weighted():
    weight = np.arange(1.0, 21.0)
    made = trainer(Line(3.0), weight=weight, held_out=5)
    expected = np.average((np.arange(15, 20) - 3.0) ** 2, weights=weight[15:])
    assert made.validate(made.validation)["loss"] == pytest.approx(expected)


def test_seconds_grow():
    seconds = trainer(held_out=5).fit()["seconds"]
    assert (np.diff(seconds) >= 0).all()
    assert seconds[0] >= 0


# -- how it ends ------------------------------------------------------------------------------------------------------


class Event(Callback):
    """Does something at the n-th event of a name."""

    def __init__(self, event, count, action):
        self.left = count

        def react(trainer):
            self.left -= 1
            if self.left == 0:
                action(trainer)

        setattr(self, event, react)


def interrupt(trainer):
    raise KeyboardInterrupt


@pytest.mark.parametrize("event", ["on_step_end", "on_epoch_start", "on_epoch_end"])
def test_stop_makes_the_epoch_the_last(event):
    stop = Event(event, 2, lambda trainer: trainer.stop("seen enough"))
    made = trainer(callbacks=[stop], batch_size=5)
    history = made.fit()
    assert history.stopped == "seen enough"
    assert made.epoch == (1 if event == "on_step_end" else 2)
    assert made.step == made.epoch * made.batches, "the epoch is finished"
    assert len(history) == made.epoch


def test_stop_before_the_first_epoch():
    made = trainer(callbacks=[Event("on_fit_start", 1, lambda trainer: trainer.stop("no need"))], held_out=5)
    history = made.fit()
    assert (history.stopped, made.epoch, len(history)) == ("no need", 0, 1)
    assert made.network.number.item() == 0


@pytest.mark.parametrize("event", ["on_step_end", "on_epoch_end", "on_epoch_start"])
def test_interrupted_with_validation(event):
    ended = []
    end = Event("on_fit_end", 1, lambda trainer: ended.append(trainer.network.number.item()))
    made = trainer(Line(18.0), rows=20, held_out=2, callbacks=[Event(event, 2, interrupt), end], learning_rate=1.0)
    with pytest.warns(TrainingWarning, match=r"training was interrupted in epoch \d; the best weights so far are kept"):
        history = made.fit()
    assert history.stopped.startswith("interrupted in epoch")
    assert history.best_epoch == 0
    assert ended == [18.0]
    assert made.network.generator is None
    assert not made.network.training


def test_interrupted_without_validation_keeps_the_weights_as_they_are():
    made = trainer(callbacks=[Event("on_step_end", 4, interrupt)], batch_size=5)
    with pytest.warns(TrainingWarning, match="interrupted in epoch 1"):
        history = made.fit()
    plain = trainer(epochs=3, batch_size=5)
    plain.epochs = 1
    plain.fit()
    assert made.network.number.item() == plain.network.number.item()
    assert (len(history), history.best_epoch) == (0, 0)


def test_interrupted_before_the_first_step():
    made = trainer(callbacks=[Event("on_fit_start", 1, interrupt)])
    with pytest.warns(TrainingWarning, match="interrupted in epoch 1"):
        made.fit()
    assert made.network.number.item() == 0


@pytest.mark.parametrize("held_out", [0, 5])
@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_loss_that_is_not_finite(held_out, loss):
    made = trainer(Spoilt(step=7, loss=loss), held_out=held_out, batch_size=8, epochs=9)
    with pytest.warns(
        TrainingWarning, match=r"not finite in epoch (3|4); the weights of epoch [123] are restored. Take"
    ):
        history = made.fit()
    # Without validation the weights at the end of the last good epoch may be those that failed.
    assert made.epoch == history["epoch"][-1] == history.best_epoch + (1 if held_out else 2) < 9
    assert history.stopped == f"the loss was not finite in epoch {made.epoch}"
    plain = trainer(held_out=held_out, epochs=9)
    plain.epochs = history.best_epoch
    plain.fit()
    assert made.network.number.item() == plain.network.number.item()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_weights_that_are_not_finite(number):
    made = trainer(Spoilt(step=1, number=number), held_out=5)
    with pytest.warns(
        TrainingWarning, match="the weights of epoch 0 are restored. Take a smaller learning_rate than 0.1"
    ):
        made.fit()
    assert made.network.number.item() == 0


def test_optimiser_forgets_what_was_not_finite():
    made = trainer(Spoilt(step=1))
    with pytest.warns(TrainingWarning, match="not finite"):
        made.fit()
    assert not made.optimiser.state
    made.network.step = 10**9
    after = trainer(made.network, optimiser=made.optimiser)
    assert np.isfinite(after.fit()["loss"]).all()


def test_weights_that_failed_do_not_come_back():
    class Steep(Line):
        def terms(self, x, weight=None):
            self.batches.append(len(x))
            return {
                "nll": (x - self.number).square().mean(1) * torch.where(self.number.detach().abs() > 1, math.nan, 1)
            }

    made = trainer(Steep(0.0), learning_rate=10.0, batch_size=20)
    with pytest.warns(TrainingWarning, match="not finite"):
        made.fit()
    assert made.network.number.item() == 0


def test_an_error_in_a_callback_comes_through():
    def fail(trainer):
        raise RuntimeError("mine")

    made = trainer(autoencoder(corruption=GaussianNoise()), callbacks=[Event("on_step_end", 1, fail)])
    with pytest.raises(RuntimeError, match="mine"):
        made.fit()
    assert {m.generator for m in made.network.modules() if isinstance(m, Stochastic)} == {None}


def test_after_the_end_nothing_is_random():
    made = trainer(autoencoder(corruption=GaussianNoise(), encoder=Dense((5,), dropout=0.5)))
    made.fit()
    assert not made.network.training
    assert {m.generator for m in made.network.modules() if isinstance(m, Stochastic)} == {None}


def test_describe():
    text = trainer(held_out=4, schedule="one_cycle").describe()
    assert text == (
        "16 training rows, 4 validation rows, up to 3 epochs of 2 batches of 8 rows, learning rate 0.1 (one_cycle); "
        f"on cpu, data on cpu; float64; autograd; threads: {torch.get_num_threads()}"
    )
    assert "data on cpu; bfloat16 matrix products, float32 weights;" in trainer(precision="bfloat16").describe()


@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian(0.5), Gaussian("learned"), Bernoulli()])
@pytest.mark.parametrize("weighted", [False, True])
def test_bfloat16_products(likelihood, weighted):
    network = autoencoder(likelihood=likelihood, corruption=GaussianNoise()).float()
    X = np.random.default_rng(0).random((40, 3)).astype(np.float32)
    rows = Rows(X, np.arange(1.0, 41.0) if weighted else None)
    index = torch.arange(40)
    plan = Plan(epochs=3, batch_size=10, learning_rate=0.01, precision="bfloat16")
    history = Trainer(network, rows, index[:30], index[30:], plan, Generator().manual_seed(0)).fit()
    assert np.isfinite(history["loss"][1:]).all()
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
