"""The training loop: rows in random order, one optimiser step per batch, the best weights kept."""

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing

import torch
from torch import Generator, Tensor

from isthmus.core.interrupts import caught, heed_lost, interruptible, uninterrupted
from isthmus.core.json_type import Json
from isthmus.core.trainable import Trainable
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.callbacks import Callback
from isthmus.engine.fast.tuned_steps import steps_for
from isthmus.engine.history import History
from isthmus.engine.plan import Plan
from isthmus.engine.report import FitReport
from isthmus.engine.schedules import schedule
from isthmus.engine.snapshot import Snapshot
from isthmus.engine.steps import Steps
from isthmus.engine.term_sums import TermSums
from isthmus.engine.training_warning import TrainingWarning
from isthmus.engine.watching import WATCHING

VALIDATION_SEED = 0
"""The seed of the noise during validation; every epoch is validated with the same noise."""
SMALLEST_VALIDATION_BATCH, LARGEST_VALIDATION_BATCH = 128, 1024
"""Bounds of the rows per validation batch: few where rows are long, but enough for statistics over a batch."""
ROWS_WITHOUT_VALIDATION = 1024
"""Training rows on which a loss is computed where there are no validation rows."""


class Trainer:
    """Trains a network on rows; all that it knows of the objective is ``network.terms(x, weight)``.

    Within an epoch nothing makes the processor wait for the device.

    Parameters
    ----------
    network
        The network, with initialised weights, on the rows' device.
    rows
        The data.
    index
        Which rows are training rows; on the processor.
    validation
        Which rows are validation rows; may be empty.
    plan
        The settings of the run.
    generator
        On the processor; it shuffles the rows and seeds the noise.
    callbacks
        Called in this order at each event; those of `watched` follow.
    optimiser
        An optimiser to continue with; None builds a new one.
    whole
        Whether Ctrl-C ends what the network is a part of as well, so that KeyboardInterrupt is raised; else training
        ends with the best weights so far.
    """

    def __init__(
        self,
        network: Trainable,
        rows: Rows,
        index: Index,
        validation: Tensor,
        plan: Plan,
        generator: Generator,
        callbacks: Sequence[Callback] = (),
        optimiser: torch.optim.Optimizer | None = None,
        whole: bool = False,
    ) -> None:
        self.network = network
        self.rows = rows
        self.index = index
        self.validation = validation
        self.plan = plan
        self.generator = generator
        self.callbacks = (*callbacks, *WATCHING.get())
        self.history = History()
        self.scale = ""
        """How the columns are scaled and why, for the report."""
        self.settings: Mapping[str, Json] = {}
        """Parameters of the estimator that trains, for callbacks."""
        self.earlier = 0
        """Epochs trained before this run, by earlier calls of `partial_fit`."""
        self.stepper: Steps = steps_for(network, rows, index, plan, optimiser)
        self.schedule = schedule(plan.schedule)
        self.epoch = self.step = 0
        self.epochs = plan.epochs
        self.batches = plan.batches(len(index))
        self.steps = self.epochs * self.batches
        self.best, self.untried = Snapshot(network), Snapshot(network)
        self.failed = self.interrupted = False
        self.whole = whole
        self.best_loss = math.inf
        self.reason = ""

    @property
    def optimiser(self) -> torch.optim.Optimizer | None:
        """The optimiser, with which a later run can continue; None after fused steps, which cannot be continued."""
        return self.stepper.optimiser

    @property
    def report(self) -> FitReport:
        """The settings of the run: those given, and those chosen with the reason for each."""
        return FitReport(
            rows=len(self.index),
            validation_rows=len(self.validation),
            epochs=self.epochs,
            batches=self.batches,
            batch_size=self.plan.largest_batch(len(self.index)),
            learning_rate=self.plan.learning_rate,
            schedule=self.plan.schedule,
            device=str(self.rows.device),
            data=self.rows.place,
            precision=self.stepper.precision_description,
            threads=self.stepper.threads_description,
            steps=self.stepper.description,
            scale=self.scale,
        )

    def describe(self) -> str:
        """Return the settings of the run in one line."""
        return str(self.report)

    def stop(self, reason: str) -> None:
        """Make the current epoch the last one."""
        self.reason = reason

    def fit(self) -> History:
        """Train; leave the best weights in the network and return the history.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, if `whole`. It does not come between two halves of a step, or of what is kept of an epoch.
        """
        with uninterrupted(), self.stepper.running():
            self.started = time.perf_counter()
            self.noise = Generator(self.rows.device).manual_seed(self.draw_seed())
            try:
                with interruptible():
                    self.train()
            except KeyboardInterrupt:
                self.end_early(f"in epoch {self.epoch + 1}")
            except BaseException as error:
                # A model that was there before must stay usable.
                self.to_inference()
                for callback in self.callbacks:
                    callback.on_error(self, error)
                raise
            finally:
                self.network.seed(None)
                self.stepper.release()
            self.finish()
        return self.history

    def train(self) -> None:
        """Train until the last epoch, or until something asks for the end."""
        self.stepper.prepare(self.loss_in)
        with self.stepper.evaluating():
            for callback in self.callbacks:
                callback.on_fit_start(self)
        self.validate_start()
        while self.epoch < self.epochs and not self.reason:
            self.train_epoch()
        self.reason = self.reason or f"all {self.epochs} epochs done"

    def end_early(self, when: str) -> None:
        """Note that Ctrl-C ended the training, or pass it on."""
        self.interrupted = True
        if self.whole:
            self.to_inference()
            for callback in self.callbacks:
                callback.on_error(self, KeyboardInterrupt())
            raise KeyboardInterrupt
        caught()
        self.reason = f"interrupted {when}"
        warnings.warn(f"training was {self.reason}; the best weights so far are kept", TrainingWarning, stacklevel=3)

    def draw_seed(self) -> int:
        """Draw the seed of the noise; it differs between runs that share a generator."""
        return int(torch.randint(2**62, (), generator=self.generator))

    def train_epoch(self) -> None:
        """Train once on every row, add a row to the history, and keep the weights or stop accordingly."""
        for callback in self.callbacks:
            callback.on_epoch_start(self)
        self.network.train()
        self.network.seed(self.noise)
        learning_rate = 0.0
        self.stepper.start_epoch()
        # Closed, so that no thread goes on reading where training ends within the epoch.
        with closing(self.rows.epoch(self.index, self.batches, self.generator)) as batches:
            for x, weight in batches:
                learning_rate = self.plan.learning_rate * self.schedule(self.step / self.steps)
                self.network.begin(1.0 if self.plan.open_ended else self.step / self.steps)
                heed_lost()
                with uninterrupted():
                    self.stepper.take(x, weight, learning_rate)
                    self.step += 1
                for callback in self.callbacks:
                    callback.on_step_end(self)
                self.stepper.step_done()
        self.network.seed(None)
        self.record(self.epoch + 1, self.stepper.means(), learning_rate)
        # With the threads of an evaluation: what a callback measures, and stops by, must not depend on a clock either.
        with self.stepper.evaluating():
            for callback in self.callbacks:
                callback.on_epoch_end(self)

    def record(self, epoch: int, trained: dict[str, float], learning_rate: float) -> None:
        """Validate the weights after an epoch, and keep what came of it."""
        validated = self.validate(self.validation) if len(self.validation) else {}
        with uninterrupted():
            self.epoch = epoch
            self.keep(trained, validated, learning_rate)

    def keep(self, trained: dict[str, float], validated: dict[str, float], learning_rate: float) -> None:
        """Add the epoch to the history; decide whether its weights are kept and whether it is the last."""
        row = {"epoch": self.epoch, **trained, **{f"val_{name}": value for name, value in validated.items()}}
        row |= {"learning_rate": learning_rate, "seconds": time.perf_counter() - self.started}
        self.history.append(row)
        losses = [row[name] for name in ("loss", "val_loss") if name in row]
        if not all(map(math.isfinite, losses)) or not self.network.finite():
            self.diverged()
        elif not validated:
            # This epoch's losses were computed from its first weights on; its last weights are still untried.
            self.best, self.untried = self.untried, self.best
            self.untried.keep(self.network, self.epoch)
        elif validated["loss"] < self.best_loss:
            self.best_loss = validated["loss"]
            self.best.keep(self.network, self.epoch)
        else:
            self.stepper.no_better_epoch(self.epoch)
            if self.plan.patience is not None and self.epochs_without_gain() >= self.plan.patience:
                self.stop(f"no better validation loss in {self.plan.patience} epochs")

    def epochs_without_gain(self) -> int:
        """Count the epochs since the best one; epochs in which a part warms up or anneals do not count."""
        return self.epoch - max(self.best.epoch, math.ceil(self.network.warm_up_share * self.epochs))

    def validate_start(self) -> None:
        """Add epoch 0 to the history: the initial weights compete for the best weights too."""
        if len(self.validation):
            self.record(0, {}, 0.0)
        elif self.reason:
            self.record(0, {"loss": self.loss_in("float32")}, 0.0)

    def validate(self, index: Tensor, precision: str = "float32") -> dict[str, float]:
        """Return the mean of every term over the rows of that index.

        The objective is the full one, whatever share of the training is done. Where noise is part of the model it is
        the same in every call. Matrix products are in the precision in which the model will be used, whatever the
        precision of training.
        """
        self.to_inference()
        self.network.seed(Generator(self.rows.device).manual_seed(VALIDATION_SEED))
        sums = TermSums()
        size = min(LARGEST_VALIDATION_BATCH, max(SMALLEST_VALIDATION_BATCH, self.rows.block))
        with torch.no_grad(), self.stepper.evaluating(precision):
            for batch in index.split(size):
                x, weight = self.rows.batch(batch)
                sums.add(self.network.terms(x, weight), weight)
        self.network.seed(None)
        return sums.means()

    def loss_in(self, precision: str) -> float:
        """Return the loss of the current weights, with matrix products in the precision of that name."""
        index = self.validation if len(self.validation) else self.index[:ROWS_WITHOUT_VALIDATION]
        return self.validate(index, precision)["loss"]

    def finish(self) -> None:
        """Restore the best weights."""
        if len(self.validation):
            self.best.restore(self.network)
        elif not self.failed:
            self.try_last()
        self.to_inference()
        self.history.stopped, self.history.best_epoch = self.reason, self.best.epoch
        try:
            with interruptible():
                for callback in self.callbacks:
                    callback.on_fit_end(self)
        except KeyboardInterrupt:
            self.end_early("after training")
            self.history.stopped = self.reason

    def to_inference(self) -> None:
        """Switch the network to inference mode, with every part at full strength."""
        self.network.eval()
        self.network.begin(1.0)

    def try_last(self) -> None:
        """Compute a last loss where there are no validation rows, so that weights which fail are not kept."""
        loss = self.loss_in("float32")
        if math.isfinite(loss) and self.network.finite():
            self.best.keep(self.network, self.epoch)
        else:
            self.diverged()

    def diverged(self) -> None:
        """Stop because the loss or a weight is not finite, and restore the last good weights."""
        self.failed = True
        self.best.restore(self.network)
        # Running means that took in a gradient which is not finite would spoil every later step.
        self.stepper.forget_gradients()
        self.stop(f"the loss was not finite in epoch {self.epoch}")
        warnings.warn(
            f"{self.reason}; the weights of epoch {self.best.epoch} are restored. Take a smaller learning_rate than "
            f"{self.plan.learning_rate:g}, or look for extreme values in the data (scale='standard' tames most)",
            TrainingWarning,
            stacklevel=2,
        )
