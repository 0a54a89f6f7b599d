"""`Callback`: user code that runs at five moments of training, and `TrainingRun`, what it may ask of the run."""

from typing import Protocol

from isthmus.core.trainable import Trainable
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.history import History


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

    def stop(self, reason: str) -> None:
        """Make the current epoch the last one; `reason` becomes `History.stopped`."""

    def describe(self) -> str:
        """Return the settings of the run in one line."""
        ...


class Callback:
    """Code that runs at five moments of training. Override the events that you need; each one gets the run.

    The events, in order: `on_fit_start`; for every epoch `on_epoch_start`, `on_step_end` after each batch, and
    `on_epoch_end`; at the end `on_fit_end`, which also comes after an interruption.

    A run offers `network`, `history` (its last row is the epoch that just ended), `rows`, `epoch`, `epochs`, `step`,
    `steps`, `describe()`, and `stop(reason)`, after which the current epoch is the last. An exception in a callback
    ends the fit and reaches the caller.

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
