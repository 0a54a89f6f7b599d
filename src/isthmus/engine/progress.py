"""Progress: a bar with the loss and the time left on a terminal, a plain line an epoch elsewhere."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.engine.callbacks import Callback
from isthmus.engine.history import format_cell

if TYPE_CHECKING:
    from isthmus.engine.trainer import Trainer


class ProgressReport(Callback):
    """Tell how training goes, on standard output."""

    def __init__(self) -> None:
        self.console = Console()
        self.bar: Progress | None = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Say how training starts."""
        self.console.print(
            f"start: {trainer.history.init}; {trainer.describe()}", markup=False, highlight=False, soft_wrap=True
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
            self.task = self.bar.add_task("training", total=trainer.epochs, losses="")
            self.bar.start()

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Show the epoch's losses."""
        row = trainer.history.rows[-1]
        losses = "  ".join(f"{name} {format_cell(row[name])}" for name in ("loss", "val_loss") if name in row)
        if self.bar is not None:
            self.bar.update(self.task, completed=trainer.epoch, losses=losses)
        else:
            seconds = f"{row['seconds']:.1f} s"
            self.console.print(
                f"epoch {trainer.epoch}/{trainer.epochs}  {losses}  {seconds}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def on_fit_end(self, trainer: "Trainer") -> None:
        """Say why it ended."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        history = trainer.history
        self.console.print(
            f"end: {history.stopped}; weights of epoch {history.best_epoch}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
