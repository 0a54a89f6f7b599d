"""Progress: on a terminal a bar with the loss and the time left, elsewhere one line per epoch."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.history import format_cell


class ProgressReport(Callback):
    """Print how training goes, on standard output."""

    def __init__(self) -> None:
        self.console = Console()
        self.bar: Progress | None = None

    def on_fit_start(self, run: TrainingRun) -> None:
        """Print how training starts."""
        self.console.print(
            f"start: {run.history.init}; {run.describe()}", markup=False, highlight=False, soft_wrap=True
        )
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("epoch"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[losses]}"),
                TimeRemainingColumn(),
                console=self.console,
            )
            self.task = self.bar.add_task("training", total=run.epochs, losses="")
            self.bar.start()

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Print the epoch's losses."""
        row = run.history.rows[-1]
        losses = "  ".join(f"{name} {format_cell(row[name])}" for name in ("loss", "val_loss") if name in row)
        if self.bar is not None:
            self.bar.update(self.task, completed=run.epoch, losses=losses)
        else:
            seconds = f"{row['seconds']:.1f} s"
            self.console.print(
                f"epoch {run.epoch}/{run.epochs}  {losses}  {seconds}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def on_fit_end(self, run: TrainingRun) -> None:
        """Print why training ended."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        history = run.history
        self.console.print(
            f"end: {history.stopped}; weights of epoch {history.best_epoch}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
