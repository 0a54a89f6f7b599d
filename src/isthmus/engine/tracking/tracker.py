"""`Tracker`: a callback that writes training down; what goes wrong there never costs a training."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial

from isthmus.core.json_type import Json
from isthmus.engine.callbacks import Callback, TrainedModel, TrainingRun
from isthmus.engine.history import History
from isthmus.engine.training_warning import TrainingWarning


class Outcome(StrEnum):
    """How a training ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Tracker(Callback):
    """A callback that writes down how training goes; subclasses define `begin`, `log`, `finish` and `keep`.

    An exception in one of these (a server that does not answer, a full disk) is a `TrainingWarning`, once; training
    goes on, and nothing more of it is written down. `finish` is called whatever happens, also after an interruption
    and after an exception. Rows of the history carry the epoch as `History` counts it, over all calls of `partial_fit`.
    """

    failed = False
    """Whether something went wrong since training began."""
    logged = 0
    """Rows of the run's history that were written down."""

    def begin(self, run: TrainingRun) -> None:
        """Begin a run, or go on with the one before if `run.earlier` is above 0."""

    def log(self, run: TrainingRun, rows: Sequence[dict[str, float]]) -> None:
        """Write rows of the history down."""

    def finish(self, run: TrainingRun, outcome: Outcome) -> None:
        """Close everything that is open."""

    def keep(self, run: TrainingRun, model: TrainedModel) -> None:
        """Write down what is known once the model is complete."""

    def on_fit_start(self, run: TrainingRun) -> None:
        """Begin."""
        self.failed, self.logged = False, 0
        self.attempt(partial(self.begin, run))

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Write down the rows that are new: that of the epoch, and before it that of the first weights."""
        new = [row | {"epoch": run.earlier + row["epoch"]} for row in run.history.rows[self.logged :]]
        self.logged = len(run.history)
        self.attempt(partial(self.log, run, new))

    def on_fit_end(self, run: TrainingRun) -> None:
        """Close what is open, also where something went wrong before; that was told already."""
        outcome = Outcome.INTERRUPTED if run.interrupted else Outcome.FINISHED
        if self.failed:
            with suppress(Exception):
                self.finish(run, outcome)
        else:
            self.attempt(partial(self.finish, run, outcome))

    def on_error(self, run: TrainingRun, error: BaseException) -> None:
        """Close what is open; what goes wrong here must not hide the error of the training."""
        with suppress(Exception):
            self.finish(run, Outcome.FAILED)

    def on_model_ready(self, run: TrainingRun, model: TrainedModel) -> None:
        """Write down what is known of the model."""
        self.attempt(partial(self.keep, run, model))

    def attempt(self, action: Callable[[], None]) -> None:
        """Do something, unless something went wrong before; warn if it goes wrong."""
        if self.failed:
            return
        try:
            action()
        except Exception as error:
            self.failed = True
            warnings.warn(
                f"{type(self).__name__} writes nothing more of this training down ({type(error).__name__}: "
                f"{' '.join(str(error).split())}); training goes on",
                TrainingWarning,
                stacklevel=4,
            )


def facts_of(run: TrainingRun) -> dict[str, Json]:
    """Return what is known of a run when it begins: where it starts, how it trains, and the estimator's parameters."""
    return {"start": run.history.init, "training": run.describe(), **run.settings}


def best_of(history: History) -> dict[str, float]:
    """Return the row of the epoch whose weights were kept; empty if there is none."""
    return next((row for row in history.rows if row["epoch"] == history.best_epoch), {})
