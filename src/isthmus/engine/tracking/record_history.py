"""`RecordHistory`: a callback that writes the history to a file while training goes on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from isthmus.core.json_type import Json
from isthmus.engine.callbacks import TrainedModel, TrainingRun
from isthmus.engine.history import History, ordered, write_text
from isthmus.engine.history_files import csv_text, end_line, epoch_line, start_line
from isthmus.engine.tracking.tracker import Tracker

ENDINGS = (".jsonl", ".csv")


class RecordHistory(Tracker):
    """Write the history to a file while training goes on, a line per epoch.

    Each line is given to the operating system at once and whole, so that the file of a training that is killed ends
    with its last finished epoch. A new training replaces the file of the one before; `partial_fit` goes on with it.
    Of several trainings with one path, as of the members of an `Imputer`, the last one remains: `write_records` writes
    all of them afterwards.

    Parameters
    ----------
    path : str or Path
        Ending in ".jsonl": a first line with the versions, the parameters of the estimator and the initialisation; a
        line per epoch; a last one with why training stopped, the best epoch, the health of the code and the floor, as
        `History.from_jsonl` reads it. Ending in ".csv": the table alone.

    Raises
    ------
    ValueError
        If the path has another ending.
    OSError
        In `fit`, before training starts, if the file cannot be written. Later errors, such as a full disk, are a
        `TrainingWarning`, and training goes on.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from isthmus import AutoEncoder, History
    >>> path = Path(tempfile.mkdtemp()) / "iris.jsonl"
    >>> ae = AutoEncoder(2, epochs=3, callbacks=[RecordHistory(path)], random_state=0).fit(load_iris().data)
    >>> len(History.from_jsonl(path)) == len(ae.history_)
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix not in ENDINGS:
            raise ValueError(f"the file of a history must end in {' or '.join(ENDINGS)}; got {str(path)!r}")
        self.columns: list[str] = []

    def on_fit_start(self, run: TrainingRun) -> None:
        """Begin; a file that cannot be written is told before training starts."""
        self.failed, self.logged = False, 0
        self.begin(run)

    def begin(self, run: TrainingRun) -> None:
        """Put a new file in the place of the one before, unless training goes on."""
        if run.earlier and self.path.exists():
            return
        self.columns = []
        facts: dict[str, Json] = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "init": run.history.init,
            "training": run.describe(),
            "settings": dict(run.settings),
        }
        write_text(self.path, "" if self.path.suffix == ".csv" else start_line(facts))

    def log(self, run: TrainingRun, rows: Sequence[dict[str, float]]) -> None:
        """Add the lines of the rows."""
        if self.path.suffix == ".csv":
            self.add_to_table(rows)
        else:
            self.add("".join(map(epoch_line, rows)))

    def add_to_table(self, rows: Sequence[dict[str, float]]) -> None:
        """Add rows to a CSV file; one with too few columns, or without its head, is written anew."""
        columns = ordered([*self.columns, *(name for row in rows for name in row)])
        if columns == self.columns:
            self.add(csv_text(columns, rows, head=False))
            return
        before = History.from_csv(self.path).rows if self.path.stat().st_size else []
        self.columns = ordered([*columns, *(name for row in before for name in row)])
        write_text(self.path, csv_text(self.columns, [*before, *rows]))

    def add(self, lines: str) -> None:
        """Add whole lines to the file by one call to the operating system."""
        with open(self.path, "ab", buffering=0) as file:
            file.write(lines.encode())

    def keep(self, run: TrainingRun, model: TrainedModel) -> None:
        """Add the line that says how training ended."""
        if self.path.suffix == ".jsonl":
            self.add(end_line(model.history.end | {"floor": model.floor}))
