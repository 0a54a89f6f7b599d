"""Progress: on a terminal a bar with the loss and the time left, elsewhere one line per epoch."""

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.history import format_cell


class ProgressReport(Callback):
    """Print how training goes.

    Parameters
    ----------
    console
        Where to; by default standard output.
    each_epoch
        Whether there are lines on the settings and on every epoch; else one line per network that is trained.
    """

    def __init__(self, console: Console | None = None, *, each_epoch: bool = True) -> None:
        self.console = console or Console()
        self.each_epoch = each_epoch
        self.networks = 0
        self.bar: Progress | None = None

    def say(self, line: str) -> None:
        """Print a line as it is."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def on_fit_start(self, run: TrainingRun) -> None:
        """Print how training starts."""
        self.networks += 1
        if self.each_epoch:
            self.say(f"start: {run.history.init}; {run.describe()}")
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("epoch"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[losses]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=not self.each_epoch,
            )
            self.task = self.bar.add_task("training", total=run.epochs, losses="")
            self.bar.start()

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Print the epoch's losses."""
        if self.bar is not None:
            self.bar.update(self.task, completed=run.epoch, losses=losses_of(run.history.rows[-1]))
        elif self.each_epoch:
            row = run.history.rows[-1]
            self.say(f"epoch {run.epoch}/{run.epochs}  {losses_of(row)}  {row['seconds']:.1f} s")

    def on_fit_end(self, run: TrainingRun) -> None:
        """Print why training ended."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        history = run.history
        if self.each_epoch:
            self.say(f"end: {history.stopped}; weights of epoch {history.best_epoch}")
        elif len(history):
            row = history.rows[-1]
            self.say(
                f"network {self.networks}: epoch {run.epoch}/{run.epochs}  {losses_of(row)}  {row['seconds']:.1f} s"
            )


def losses_of(row: Mapping[str, float]) -> str:
    """Return the losses of an epoch, with their names."""
    return "  ".join(f"{name} {format_cell(row[name])}" for name in ("loss", "val_loss") if name in row)
