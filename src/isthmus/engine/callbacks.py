"""`Callback`: user code that runs at seven moments of training, and what it may ask of the run and of the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from isthmus.core.json_type import Json
from isthmus.core.trainable import Trainable
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.history import History
from isthmus.engine.report import FitReport


class TrainingRun(Protocol):
    """What a callback may read of a training run, and how it ends one."""

    network: Trainable
    """The network in training."""
    rows: Rows
    """The data, with the scaling that brings them to the network's units."""
    index: Index
    """Positions of the training rows; a callback may put others in their place for the epochs to come."""
    history: History
    """One row per finished epoch; the last row is the epoch that just ended."""
    epoch: int
    """Finished epochs."""
    epochs: int
    """Epochs at most."""
    step: int
    """Finished training steps, over all epochs."""
    steps: int
    """Training steps at most, over all epochs."""
    settings: Mapping[str, Json]
    """Parameters of the estimator, those of parts as "penalty.beta"; empty for a network that has no estimator."""
    earlier: int
    """Epochs trained before this run, by earlier calls of `partial_fit`."""
    interrupted: bool
    """Whether the user interrupted the training."""

    @property
    def report(self) -> FitReport:
        """The settings of the training: those given, and those chosen with the reason for each."""
        ...

    def stop(self, reason: str) -> None:
        """Make the current epoch the last one; `reason` becomes `History.stopped`."""

    def describe(self) -> str:
        """Return the settings of the run in one line."""
        ...


class TrainedModel(Protocol):
    """What a callback may ask of the model that a training leaves."""

    @property
    def history(self) -> History:
        """The whole course of training, with the health of the code."""
        ...

    @property
    def floor(self) -> str:
        """The held-out error beside that of a closed form, in words; "" where it was not measured."""
        ...

    def save(self, path: Path) -> None:
        """Write the model to a file that `isthmus.load` reads."""
        ...


class Callback:
    """Code that runs at seven moments of training. Override the events that you need; each one gets the run.

    The events, in order: `on_fit_start`; for every epoch `on_epoch_start`, `on_step_end` after each batch, and
    `on_epoch_end`; at the end `on_fit_end`, which also comes after an interruption; and `on_model_ready`, when the
    model has been compared with its floor. After an exception comes `on_error`, and nothing else.

    A run offers `network`, `history` (its last row is the epoch that just ended), `rows`, `epoch`, `epochs`, `step`,
    `steps`, `settings` (the estimator's parameters), `report`, `describe()`, and `stop(reason)`, after which the
    current epoch is the last. An exception in a callback ends the fit and reaches the caller.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.history["loss"][-1] < 1.0:
    ...             run.stop("good enough")
    >>> from isthmus import AutoEncoder
    >>> from sklearn.datasets import load_iris
    >>> ae = AutoEncoder(latent=2, epochs=50, callbacks=[StopWhenGood()], random_state=0).fit(load_iris().data)
    >>> ae.history_.stopped
    'good enough'
    """

    def on_fit_start(self, run: TrainingRun) -> None:
        """Run before the first epoch; the weights are initialised."""

    def on_epoch_start(self, run: TrainingRun) -> None:
        """Run before the first batch of an epoch."""

    def on_step_end(self, run: TrainingRun) -> None:
        """Run after each batch. Reading a loss here makes the processor wait for the device."""

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Run after the epoch's row has been added to the history."""

    def on_fit_end(self, run: TrainingRun) -> None:
        """Run after the best weights have been restored."""

    def on_model_ready(self, run: TrainingRun, model: TrainedModel) -> None:
        """Run when the model is complete; `model.save(path)` writes it to a file."""

    def on_error(self, run: TrainingRun, error: BaseException) -> None:
        """Run when an exception ends the training, before it reaches the caller."""
