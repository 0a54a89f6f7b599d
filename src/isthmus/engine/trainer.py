"""The training loop: resident data, batches by index, nothing that makes the processor wait within an epoch."""

import math
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.engine import written_out
from isthmus.engine.callbacks import Callback
from isthmus.engine.devices import arithmetic
from isthmus.engine.history import History
from isthmus.engine.optimisers import Adam, FlatAdam
from isthmus.engine.schedules import schedule

JUDGING = 0
"""The seed of the noise with which every epoch is judged."""


class TrainingWarning(UserWarning):
    """Training ended otherwise than planned; the estimator is usable, and the text says what to do."""


@dataclass
class Plan:
    """How to train.

    Parameters
    ----------
    epochs
        Passes over the rows.
    batch_size
        Rows a step, at most; an epoch is cut into batches of equal size (give or take one row), so that no small rest
        is left over or dropped.
    learning_rate
        The greatest of the schedule.
    schedule
        "constant", "cosine" or "one_cycle".
    optimiser
        Builds the optimiser.
    patience
        Epochs without a better validation loss after which to stop; None trains to the end.
    precision
        As in `AutoEncoder`.
    open_ended
        Whether more rows will follow, so that nobody knows how much of the training is done.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str = "cosine"
    optimiser: Adam = field(default_factory=Adam)
    patience: int | None = None
    precision: str = "float32"
    open_ended: bool = False


class Trainer:
    """Trains a network on rows; knows nothing of it but ``network.terms(x, weight)``.

    Where a network `written_out.suits`, the same steps are taken without a graph.

    Parameters
    ----------
    network
        With its weights initialised, on the rows' device.
    rows
        The data.
    index
        Which rows to train on, on the processor.
    validation
        Which rows to judge by; may be empty.
    plan
        How.
    generator
        On the processor; it orders the rows and seeds the noise.
    callbacks
        Called in their order.
    optimiser
        One to go on with; None takes a new one.
    """

    def __init__(
        self,
        network: Network,
        rows: Rows,
        index: Tensor,
        validation: Tensor,
        plan: Plan,
        generator: Generator,
        callbacks: Sequence[Callback] = (),
        optimiser: torch.optim.Optimizer | None = None,
    ) -> None:
        self.network = network
        self.rows = rows
        self.index = index
        self.validation = validation
        self.plan = plan
        self.generator = generator
        self.callbacks = callbacks
        self.history = History()
        self.written_out = None
        if optimiser is None and not plan.open_ended:
            self.written_out = written_out.of(network, plan.precision, rows.weight is not None)
        self.optimiser: Any
        if self.written_out is None:
            self.optimiser = optimiser or plan.optimiser.build(network.parameters(), plan.learning_rate)
        else:
            vector, gradient = self.written_out.flat, self.written_out.slope
            self.optimiser = FlatAdam(vector, gradient, plan.optimiser, plan.learning_rate)
        self.schedule = schedule(plan.schedule)
        self.epoch = self.step = 0
        self.epochs = plan.epochs
        self.batches = max(1, math.ceil(len(index) / plan.batch_size))
        self.steps = self.epochs * self.batches
        self.best, self.untried = Snapshot(network), Snapshot(network)
        self.failed = False
        self.best_loss = math.inf
        self.reason = ""

    def describe(self) -> str:
        """Say what will be done, in a line."""
        device, dtype = self.rows.device, str(self.rows.dtype).removeprefix("torch.")
        products = ", bfloat16 products" if self.plan.precision == "bfloat16" else ""
        return (
            f"{len(self.index)} rows to train on and {len(self.validation)} to judge by, up to {self.epochs} epochs of "
            f"{self.batches} batches, learning rate {self.plan.learning_rate:g} ({self.plan.schedule}), {dtype}"
            f"{products} on {device}, threads: {torch.get_num_threads()}"
        )

    def stop(self, reason: str) -> None:
        """Make the current epoch the last one."""
        self.reason = reason

    def fit(self) -> History:
        """Train; leave the best weights in the network and return the history."""
        self.started = time.perf_counter()
        self.noise = Generator(self.rows.device).manual_seed(self.draw_seed())
        try:
            self.announce("on_fit_start")
            self.judge_start()
            while self.epoch < self.epochs and not self.reason:
                self.train_epoch()
            self.reason = self.reason or f"all {self.epochs} epochs done"
        except KeyboardInterrupt:
            self.reason = f"interrupted in epoch {self.epoch + 1}"
            warnings.warn(
                f"training was {self.reason}; the best weights so far are kept", TrainingWarning, stacklevel=2
            )
        finally:
            self.network.seed(None)
            if self.written_out is not None:
                self.written_out.release()
        if len(self.validation):
            self.best.restore(self.network)
        elif not self.failed:
            self.try_last()
        self.network.eval()
        self.network.begin(1.0)
        self.history.stopped, self.history.best_epoch = self.reason, self.best.epoch
        self.announce("on_fit_end")
        return self.history

    def draw_seed(self) -> int:
        """Draw the seed of the noise; it is another one in every run of the same generator."""
        return int(torch.randint(2**62, (), generator=self.generator))

    def announce(self, event: str) -> None:
        """Tell every callback of an event."""
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def judge_start(self) -> None:
        """Add epoch 0 to the history: the initialisation competes for the best weights too."""
        if len(self.validation):
            self.record({}, 0.0)

    def train_epoch(self) -> None:
        """Train on every row once, then add a row to the history, keep what is good and stop where it is not."""
        self.announce("on_epoch_start")
        self.network.train()
        self.network.seed(self.noise)
        order = self.index[torch.randperm(len(self.index), generator=self.generator)].to(self.rows.raw.device)
        sums = TermSums()
        learning_rate = 0.0
        for batch in torch.tensor_split(order, self.batches):
            learning_rate = self.plan.learning_rate * self.schedule(self.step / self.steps)
            self.network.begin(1.0 if self.plan.open_ended else self.step / self.steps)
            sums.add(*self.train_step(batch, learning_rate))
            self.step += 1
            self.announce("on_step_end")
        self.epoch += 1
        self.network.seed(None)
        self.record(sums.means(), learning_rate)
        self.announce("on_epoch_end")

    def train_step(self, batch: Tensor, learning_rate: float) -> tuple[dict[str, Tensor], Tensor | None]:
        """Take one step on the rows of that index; return the terms and the weights of the rows."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        x, weight = self.rows.batch(batch)
        if self.written_out is not None:
            loss = self.written_out.step(x)
            self.optimiser.step()
            return {"nll": loss.expand(len(x))}, None
        with arithmetic(self.plan.precision, x.device):
            terms = self.network.terms(x, weight)
        loss = batch_mean(sum_of(terms.values()), weight)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return terms, weight

    def record(self, trained: dict[str, float], learning_rate: float) -> None:
        """Add the epoch to the history and decide whether its weights are kept and whether it is the last."""
        judged = self.judge(self.validation) if len(self.validation) else {}
        row = {"epoch": self.epoch, **trained, **{f"val_{name}": value for name, value in judged.items()}}
        row |= {"learning_rate": learning_rate, "seconds": time.perf_counter() - self.started}
        self.history.append(row)
        losses = [row[name] for name in ("loss", "val_loss") if name in row]
        if not all(map(math.isfinite, losses)) or not self.network.finite():
            self.diverged()
        elif not judged:
            # This epoch's losses have tried the weights it began with; those it ends with are still to be tried.
            self.best, self.untried = self.untried, self.best
            self.untried.keep(self.network, self.epoch)
        elif judged["loss"] < self.best_loss:
            self.best_loss = judged["loss"]
            self.best.keep(self.network, self.epoch)
        elif self.plan.patience is not None and self.waited() >= self.plan.patience:
            self.stop(f"no better validation loss in {self.plan.patience} epochs")

    def waited(self) -> int:
        """Epochs without a better validation loss; none counts in which a part still warms up or anneals."""
        return self.epoch - max(self.best.epoch, math.ceil(self.network.settles * self.epochs))

    def try_last(self) -> None:
        """Take a last loss, where no rows judge, so that the weights which stay are not ones that fail."""
        loss = self.judge(self.index[:1024])["loss"]
        if math.isfinite(loss) and self.network.finite():
            self.best.keep(self.network, self.epoch)
        else:
            self.diverged()

    def judge(self, index: Tensor) -> dict[str, float]:
        """Return the mean of every term over the rows of that index.

        In full, whatever part of the training is done; where noise is part of the model, with the same every time.
        """
        self.network.eval()
        self.network.begin(1.0)
        self.network.seed(Generator(self.rows.device).manual_seed(JUDGING))
        sums = TermSums()
        with torch.no_grad(), arithmetic(self.plan.precision, self.rows.device):
            for batch in index.split(1024):
                x, weight = self.rows.batch(batch)
                sums.add(self.network.terms(x, weight), weight)
        self.network.seed(None)
        return sums.means()

    def diverged(self) -> None:
        """Stop after a loss that is not a number; the last good weights come back."""
        self.failed = True
        self.best.restore(self.network)
        # Running means that took in a gradient which is not a number would spoil every later step.
        self.optimiser.state.clear()
        self.stop(f"the loss was not finite in epoch {self.epoch}")
        warnings.warn(
            f"{self.reason}; the weights of epoch {self.best.epoch} are restored. Take a smaller learning_rate than "
            f"{self.plan.learning_rate:g}, or look for extreme values in the data (scale='standard' tames most)",
            TrainingWarning,
            stacklevel=2,
        )


class TermSums:
    """Sums of the objective's terms over an epoch; they stay on the device until they are asked for."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.rows: float | Tensor = 0.0

    def add(self, terms: dict[str, Tensor], weight: Tensor | None) -> None:
        """Add a batch: terms (B,) by name, and the weights (B,)."""
        for name, values in terms.items():
            # In float64, where the device has it: an epoch's sum in float32 would swallow the small differences.
            values = values.detach().to(torch.float32 if values.device.type == "mps" else torch.float64)
            summed = values.sum() if weight is None else weight.to(values) @ values
            self.sums[name] = summed if name not in self.sums else self.sums[name] + summed
        self.rows = self.rows + (len(next(iter(terms.values()))) if weight is None else weight.sum())

    def means(self) -> dict[str, float]:
        """Return the loss and, where it has several, its terms: means over the rows."""
        rows = float(self.rows)
        means = {name: float(summed) / rows for name, summed in self.sums.items()}
        return {"loss": sum(means.values())} | (means if len(means) > 1 else {})


class Snapshot:
    """A copy of the weights of one epoch."""

    def __init__(self, network: Network) -> None:
        self.epoch = 0
        self.state = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def keep(self, network: Network, epoch: int) -> None:
        """Copy the weights as they are now."""
        self.epoch = epoch
        for name, tensor in network.state_dict().items():
            self.state[name].copy_(tensor)

    def restore(self, network: Network) -> None:
        """Put the copied weights back."""
        network.load_state_dict(self.state)


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of the terms, (B,)."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first
