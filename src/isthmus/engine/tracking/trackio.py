"""`Trackio`: a callback that writes a training down as a run of trackio."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from types import ModuleType

from isthmus.core.extras import extra_module
from isthmus.engine.callbacks import TrainingRun
from isthmus.engine.tracking.tracker import Outcome, Tracker, facts_of


class Trackio(Tracker):
    """Write training to trackio, on this machine; look with ``trackio show``.

    The parameters of the estimator are the run's configuration; every term of the objective is a metric by epoch. Runs
    are kept where trackio keeps them (the environment variable ``TRACKIO_DIR``). A run that was begun by
    ``trackio.init`` is used, and not finished. What trackio prints goes to standard error.

    Parameters
    ----------
    project : str, default="isthmus"
        The project of the run.
    name : str, optional
        The name of the run; None lets trackio choose one.
    group : str, optional
        The group of runs that it belongs to.

    Raises
    ------
    MissingExtraError
        If trackio is not installed; the message names the command that installs it.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> AutoEncoder(latent=2, callbacks=[Trackio("digits")]).callbacks[0].project
    'digits'
    """

    def __init__(self, project: str = "isthmus", name: str | None = None, group: str | None = None) -> None:
        trackio()
        self.project, self.name, self.group = project, name, group
        self.run_name = ""
        """The name of the current run, or of the last one."""
        self.own = True

    def begin(self, run: TrainingRun) -> None:
        """Take the current run, or begin one with the parameters."""
        current = trackio("trackio.context_vars").current_run.get()
        self.own = current is None
        if current is not None:
            self.run_name = current.name
            current.config.update(dict(run.settings))
            return
        goes_on = bool(run.earlier and self.run_name)
        with redirect_stdout(sys.stderr):
            begun = trackio().init(
                project=self.project,
                name=self.run_name if goes_on else self.name,
                group=self.group,
                config=facts_of(run),
                resume="allow" if goes_on else "never",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        self.run_name = begun.name

    def log(self, run: TrainingRun, rows: Sequence[dict[str, float]]) -> None:
        """Hand the rows over; a thread of trackio writes them."""
        for row in rows:
            values = {name: value for name, value in row.items() if name != "epoch"}
            trackio().log(values, step=int(row["epoch"]))

    def finish(self, run: TrainingRun, outcome: Outcome) -> None:
        """Finish the run, unless it is the user's; what was handed over is written then."""
        if self.own and trackio("trackio.context_vars").current_run.get() is not None:
            with redirect_stdout(sys.stderr):
                trackio().finish()


def trackio(module: str = "trackio") -> ModuleType:
    """Return trackio's module of that name, or raise `MissingExtraError`."""
    return extra_module(module, "Trackio", "trackio", extra="trackio")
