"""`Watch`: looks at a network while it is trained, and ends trials that fall behind or run out of time."""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.tasks.tuning.optuna_package import optuna_package

if TYPE_CHECKING:
    from optuna.trial import Trial

LOOKS = 10
"""How often a network is looked at, evenly over its epochs; trials are compared at the same share of their training."""
STARTUP_TRIALS = 4
"""Trials that are never pruned, before the median of others means something."""
FIRST_LOOK = 2
"""The first look after which a trial may be pruned."""


class OutOfTimeError(Exception):
    """A trial was cut off because the time of the search was over."""


class Watch(Callback):
    """Reports a network's held-out loss as its training goes on.

    Parameters
    ----------
    trial : optuna Trial or None
        Told the losses; None if there is nothing to tell.
    loss : callable
        From the run to a loss, or None if that is not known.
    deadline : float
        When the time of the search is over, by `time.monotonic`.
    prunes : bool
        Whether the trial is asked whether to go on.
    """

    def __init__(
        self, trial: "Trial | None", loss: Callable[[TrainingRun], float | None], deadline: float, prunes: bool
    ) -> None:
        self.trial, self.loss, self.deadline, self.prunes = trial, loss, deadline, prunes
        self.seen = 0

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Look, if a tenth more of the training is done.

        Raises
        ------
        OutOfTimeError
            If the time is over.
        TrialPruned
            If the trial falls behind the median of the others.
        """
        if time.monotonic() > self.deadline:
            raise OutOfTimeError
        look = LOOKS * run.epoch // max(run.epochs, 1)
        if self.trial is None or look <= self.seen:
            return
        self.seen = look
        loss = self.loss(run)
        if loss is None:
            return
        if math.isfinite(loss):
            self.trial.report(loss, look)
        if self.prunes and (not math.isfinite(loss) or self.trial.should_prune()):
            raise optuna_package().TrialPruned
