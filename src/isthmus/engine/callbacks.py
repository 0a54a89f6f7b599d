"""Callbacks: what may be done at five moments of a training run."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.engine.trainer import Trainer


class Callback:
    """Override what you need; every event gets the trainer.

    Worth knowing of the trainer: `network`, `history` (its last row is the epoch that just ended), `epoch`, `epochs`,
    `step`, `steps`, and `stop(reason)`, after which the current epoch is the last.

    Events, in their order: `on_fit_start`, then for every epoch `on_epoch_start`, `on_step_end` after every batch,
    `on_epoch_end`; at last `on_fit_end`, which also comes after an interruption.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, trainer):
    ...         if trainer.history["loss"][-1] < 1.0:
    ...             trainer.stop("good enough")
    """

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Before the first epoch; the weights are initialised."""

    def on_epoch_start(self, trainer: "Trainer") -> None:
        """Before the first batch of an epoch."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """After each batch; what reads a loss here makes the processor wait for the device."""

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """After the epoch's row has been added to the history."""

    def on_fit_end(self, trainer: "Trainer") -> None:
        """After the best weights have been put back."""
