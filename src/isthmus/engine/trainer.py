"""The training loop: resident data, batches by index, nothing that makes the processor wait within an epoch."""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

from isthmus.core.blas import blas_threads
from isthmus.core.network import Network
from isthmus.data.lazy_index import LazyIndex
from isthmus.data.rows import Rows
from isthmus.engine import steps
from isthmus.engine.callbacks import Callback
from isthmus.engine.devices import SHORT_STEP, arithmetic, threads
from isthmus.engine.fast import precision, sparse_input
from isthmus.engine.fast.thread_tuner import ROUNDS, STEPS, Pilot, Rehearsal
from isthmus.engine.history import History
from isthmus.engine.optimisers import Adam
from isthmus.engine.report import FitReport
from isthmus.engine.schedules import schedule
from isthmus.engine.steps import TermSums, WrittenOutSteps

JUDGING = 0
"""The seed of the noise with which every epoch is judged."""
LEAST_JUDGED, MOST_JUDGED = 128, 1024
"""Rows that are judged together: few where rows are long, but enough for what is a statistic over a batch."""


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
    threads
        Numbers of threads to choose from, rising; empty leaves torch's setting alone.
    repeatable
        Whether nothing may be chosen by trial that changes how numbers are rounded.
    compiled
        Whether `torch.compile` shall compile encoder and decoder.
    recorded
        Whether steps on a CUDA GPU are recorded and replayed.
    products
        Who makes the products of a step whose gradient is written out: "torch", "numpy", or by "auto" the faster.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str = "cosine"
    optimiser: Adam = field(default_factory=Adam)
    patience: int | None = None
    precision: str = "float32"
    open_ended: bool = False
    threads: Sequence[int] = ()
    repeatable: bool = True
    compiled: bool = False
    recorded: bool = True
    products: str = "auto"


class Trainer:
    """Trains a network on rows; knows nothing of it but ``network.terms(x, weight)``.

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
        index: Tensor | LazyIndex,
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
        self.skips_zeros = sparse_input.choose(network, rows, plan)
        self.taking = steps.of(network, rows.weight is not None, plan, optimiser)
        self.schedule = schedule(plan.schedule)
        self.epoch = self.step = 0
        self.epochs = plan.epochs
        self.batches = max(1, math.ceil(len(index) / plan.batch_size))
        self.steps = self.epochs * self.batches
        self.best, self.untried = Snapshot(network), Snapshot(network)
        self.failed = False
        self.best_loss = math.inf
        self.reason = ""
        dtype = str(rows.dtype).removeprefix("torch.")
        self.precision_words = "bfloat16 products, float32 weights" if plan.precision == "bfloat16" else dtype
        self.halved_by_choice = False
        self.pilot = Pilot(self.thread_counts(), self.rehearsals, plan.repeatable, told=self.taking.use_threads)

    @property
    def optimiser(self) -> Any:
        """The optimiser, to go on with."""
        return self.taking.optimiser

    @property
    def largest(self) -> int:
        """Rows of the largest batch."""
        return math.ceil(len(self.index) / self.batches)

    @property
    def operations(self) -> float:
        """Floating-point operations of a step: six a weight and row."""
        weights = sum(parameter.numel() for parameter in self.network.parameters())
        return 6.0 * self.largest * weights

    @property
    def report(self) -> FitReport:
        """What was chosen, and why."""
        device = self.rows.device
        skips = self.skips_zeros and not self.halved_by_choice
        skipped = ", zeros skipped in the first layer" if skips else ""
        return FitReport(
            rows=len(self.index),
            judges=len(self.validation),
            epochs=self.epochs,
            batches=self.batches,
            batch_size=self.largest,
            learning_rate=self.plan.learning_rate,
            schedule=self.plan.schedule,
            device=str(device),
            data=self.rows.place,
            precision=self.precision_words,
            threads=self.pilot.words,
            steps=self.taking.words + skipped,
        )

    def describe(self) -> str:
        """Say what will be done, in a line."""
        return str(self.report)

    def stop(self, reason: str) -> None:
        """Make the current epoch the last one."""
        self.reason = reason

    def fit(self) -> History:
        """Train; leave the best weights in the network and return the history."""
        with self.pilot, blas_threads(1):
            self.started = time.perf_counter()
            self.noise = Generator(self.rows.device).manual_seed(self.draw_seed())
            try:
                self.choose()
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
            except BaseException:
                # A model that was there before is still to be used.
                self.network.eval()
                self.network.begin(1.0)
                raise
            finally:
                self.network.seed(None)
                self.taking.release()
                sparse_input.forget(self.network)
            self.finish()
        return self.history

    def finish(self) -> None:
        """Put the best weights back."""
        if len(self.validation):
            self.best.restore(self.network)
        elif not self.failed:
            self.try_last()
        self.network.eval()
        self.network.begin(1.0)
        self.history.stopped, self.history.best_epoch = self.reason, self.best.epoch
        self.announce("on_fit_end")

    def thread_counts(self) -> Sequence[int]:
        """Return the numbers of threads to choose from: one, where trying would cost more than it can bring."""
        counts = self.plan.threads or [torch.get_num_threads()]
        if self.rows.device.type != "cpu":
            return counts[:1]
        if self.plan.repeatable and self.taking.one_thread_only:
            # Numpy and torch round differently: which of them it is may not depend on a trial.
            if self.operations < SHORT_STEP or len(counts) == 1:
                return counts[:1]
            self.taking.leave_to_torch()
        long = self.steps >= 10 * ROUNDS * (STEPS + 1) * len(counts)
        if long and (isinstance(self.taking, WrittenOutSteps) or not self.plan.repeatable):
            return counts
        return counts[:1] if self.operations < SHORT_STEP else counts[-1:]

    def choose(self) -> None:
        """Choose precision and threads by trial, where there is a choice."""
        self.network.train()
        if self.plan.precision == "auto":
            self.choose_precision()
        if len(self.pilot.counts) > 1:
            self.network.train()
            self.pilot.choose()

    def rehearsals(self) -> list[Rehearsal]:
        """Return rehearsals of a step on the largest batch and on the smallest."""
        sizes = self.largest, len(self.index) // self.batches
        return [self.taking.rehearsal(*self.rows.batch(self.index[:size])) for size in sizes]

    def choose_precision(self) -> None:
        """Make products in bfloat16 where that is faster and leads to the same."""
        if not isinstance(self.taking, WrittenOutSteps):
            return
        some = self.validation if len(self.validation) else self.index[:1024]
        name, self.precision_words = precision.choose(
            self.taking,
            self.rows.batch(self.index[: self.largest])[0],
            self.operations,
            lambda products: self.judge(some, products)["loss"],
        )
        self.halved_by_choice = name == "bfloat16"
        self.taking.change_precision(name)

    def give_up_halves(self) -> None:
        """Go on with products in float32, where they were made in bfloat16 by choice."""
        if self.halved_by_choice:
            self.halved_by_choice = False
            self.taking.change_precision("float32")
            self.precision_words += f"; float32 after epoch {self.epoch}"

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
        learning_rate = 0.0
        before = time.perf_counter()
        for x, weight in self.rows.epoch(self.index, self.batches, self.generator):
            learning_rate = self.plan.learning_rate * self.schedule(self.step / self.steps)
            self.network.begin(1.0 if self.plan.open_ended else self.step / self.steps)
            self.taking.take(x, weight, learning_rate)
            self.step += 1
            self.announce("on_step_end")
            now = time.perf_counter()
            self.pilot.note(now - before)
            before = time.perf_counter()
        self.epoch += 1
        self.network.seed(None)
        self.record(self.taking.means(), learning_rate)
        self.announce("on_epoch_end")

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
        else:
            self.give_up_halves()
            if self.plan.patience is not None and self.waited() >= self.plan.patience:
                self.stop(f"no better validation loss in {self.plan.patience} epochs")

    def waited(self) -> int:
        """Epochs without a better validation loss; none counts in which a part still warms up or anneals."""
        return self.epoch - max(self.best.epoch, math.ceil(self.network.warm_up_share * self.epochs))

    def try_last(self) -> None:
        """Take a last loss, where no rows judge, so that the weights which stay are not ones that fail."""
        loss = self.judge(self.index[:1024])["loss"]
        if math.isfinite(loss) and self.network.finite():
            self.best.keep(self.network, self.epoch)
        else:
            self.diverged()

    def judge(self, index: Tensor, products: str = "float32") -> dict[str, float]:
        """Return the mean of every term over the rows of that index.

        In full, whatever part of the training is done; where noise is part of the model, with the same every time; with
        products in the precision in which the model will be used, whatever it is trained in.
        """
        self.network.eval()
        self.network.begin(1.0)
        self.network.seed(Generator(self.rows.device).manual_seed(JUDGING))
        sums = TermSums()
        count = self.pilot.counts[0] if self.plan.repeatable else None
        with torch.no_grad(), arithmetic(products, self.rows.device), threads(count):
            for batch in index.split(min(MOST_JUDGED, max(LEAST_JUDGED, self.rows.block))):
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
