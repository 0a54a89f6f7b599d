import numpy as np
import pytest
import torch
from torch import Generator

from isthmus import AutoEncoder, Callback
from isthmus.data.rows import Rows
from isthmus.engine import Plan, Trainer
from isthmus.parts.composition import compose

EVENTS = ["on_fit_start", "on_epoch_start", "on_step_end", "on_epoch_end", "on_fit_end"]
X = np.random.default_rng(0).normal(size=(120, 4))


class Record(Callback):
    """Writes down every event, and what the run tells a callback then."""

    def __init__(self, name="", log=None):
        self.name = name
        self.log = [] if log is None else log

    def note(self, event, run):
        self.log.append((self.name, event, run.epoch, run.step, len(run.history)))


def recorder(event):
    return lambda self, run: self.note(event, run)


for event in EVENTS:
    setattr(Record, event, recorder(event))


def model(callbacks, **settings):
    plain = {"latent": 2, "hidden": (8,), "epochs": 2, "batch_size": 40, "validation": 0.0, "random_state": 0}
    return AutoEncoder(**plain | settings, callbacks=callbacks)


def test_events_in_their_order():
    record = Record()
    model([record]).fit(X)
    epoch = ["on_epoch_start", *["on_step_end"] * 3, "on_epoch_end"]
    assert [event for _, event, *_ in record.log] == ["on_fit_start", *epoch, *epoch, "on_fit_end"]


def test_what_the_run_tells_at_each_event():
    record = Record()
    model([record], epochs=1, validation=0.25).fit(X)
    assert [entry[1:] for entry in record.log] == [
        ("on_fit_start", 0, 0, 0),
        ("on_epoch_start", 0, 0, 1),  # epoch 0 is in the history
        ("on_step_end", 0, 1, 1),
        ("on_step_end", 0, 2, 1),
        ("on_step_end", 0, 3, 1),
        ("on_epoch_end", 1, 3, 2),
        ("on_fit_end", 1, 3, 2),
    ]


def test_several_callbacks_in_the_order_given():
    log = []
    model([Record("first", log), Record("second", log)], epochs=1).fit(X)
    assert [name for name, *_ in log] == ["first", "second"] * (len(log) // 2)
    assert [entry[1:] for entry in log[::2]] == [entry[1:] for entry in log[1::2]]


def test_callbacks_may_be_any_sequence():
    for callbacks in ([], (), (Record(),)):
        model(callbacks, epochs=1).fit(X)


def test_they_change_nothing_of_the_result():
    np.testing.assert_array_equal(model([Record()]).fit(X).transform(X), model([]).fit(X).transform(X))


def test_partial_fit_calls_them_too():
    record = Record()
    ae = model([record], batch_size=1000)
    ae.partial_fit(X).partial_fit(X)
    assert [event for _, event, *_ in record.log] == EVENTS * 2


def test_the_default_does_nothing():
    run = Trainer(
        compose(4, 2), Rows(X), torch.arange(120), torch.arange(0), Plan(1, 10, 0.1), Generator(), [Callback()]
    )
    for event in EVENTS:
        assert getattr(Callback(), event)(run) is None
    assert (run.epoch, run.step, len(run.history), run.reason) == (0, 0, 0, "")


def test_stop_with_a_reason():
    class StopWhenGood(Callback):
        def on_epoch_end(self, run):
            if run.history["loss"][-1] < run.history["loss"][0]:
                run.stop("good enough")

    ae = model([StopWhenGood()], epochs=100).fit(X)
    assert ae.history_.stopped == "good enough"
    assert ae.n_iter_ == len(ae.history_) == 2


def test_the_best_weights_are_back_at_the_end():
    class LastLoss(Callback):
        def on_fit_end(self, run):
            self.loss = run.validate(run.validation)["loss"]

    last = LastLoss()
    ae = model([last], epochs=20, learning_rate=0.1, validation=0.25).fit(X)
    assert last.loss == pytest.approx(ae.history_["val_loss"].min(), rel=1e-12)


def test_the_network_may_be_looked_at_and_changed():
    class Clip(Callback):
        def on_step_end(self, run):
            with torch.no_grad():
                for parameter in run.network.parameters():
                    parameter.clamp_(-0.1, 0.1)

    ae = model([Clip()]).fit(X)
    assert max(float(parameter.detach().abs().max()) for parameter in ae.network_.parameters()) <= 0.1
