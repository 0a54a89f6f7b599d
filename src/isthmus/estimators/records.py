"""The course of training in files beside a model file."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from isthmus.core.json_type import Json
from isthmus.engine.history import History, ordered, write_text
from isthmus.engine.history_files import RUN, csv_text
from isthmus.estimators.settings import settings_of_estimator


class Recorded(Protocol):
    """A fitted estimator that knows how its autoencoders were trained."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor parameters."""

    def histories(self) -> dict[str, History]:
        """Return the history of each autoencoder by its name; of an `AutoEncoder` by ""."""


class Records(NamedTuple):
    """The files of the records of a model."""

    jsonl: Path
    """Everything, as `History.from_jsonl` reads it."""
    csv: Path
    """The table of losses, as `History.from_csv` reads it."""


def records_beside(path: str | Path) -> Records:
    """Return where the records of a model file are.

    Examples
    --------
    >>> [record.name for record in records_beside("models/iris.isthmus")]
    ['iris.history.jsonl', 'iris.history.csv']
    """
    path = Path(path)
    stem = path.name.removesuffix(path.suffix)
    return Records(path.with_name(f"{stem}.history.jsonl"), path.with_name(f"{stem}.history.csv"))


def write_records(estimator: Recorded, path: str | Path) -> Records:
    """Write the course of training beside a model file: as JSON lines, and as CSV.

    Each file appears whole or not at all, and replaces the one before. An estimator of several autoencoders, such as an
    `Imputer`, has several runs in each file, which `History.from_jsonl(path, run=...)` tells apart. Methods of an
    `AnomalyDetector` that train no network have none.

    Parameters
    ----------
    estimator : AutoEncoder, AnomalyDetector or Imputer
        Fitted.
    path : str or Path
        The model file; it need not exist.

    Returns
    -------
    Records
        The paths: model.history.jsonl and model.history.csv beside model.isthmus.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from isthmus import AutoEncoder
    >>> ae = AutoEncoder(2, epochs=3, random_state=0).fit(load_iris().data)
    >>> records = write_records(ae, Path(tempfile.mkdtemp()) / "iris.isthmus")
    >>> len(History.from_csv(records.csv)) == len(ae.history_)
    True
    """
    records, settings = records_beside(path), settings_of_estimator(estimator)
    histories = estimator.histories() or {"": History()}
    write_text(records.jsonl, "".join(history.jsonl(settings, name) for name, history in histories.items()))
    write_text(records.csv, table_of(histories))
    return records


def table_of(histories: dict[str, History]) -> str:
    """Return histories as one CSV table; several are told apart by a column "run"."""
    columns = ordered(["epoch", *(name for history in histories.values() for name in history.columns)])
    if len(histories) == 1:
        return csv_text(columns, next(iter(histories.values())))
    rows: list[dict[str, Json]] = [{RUN: name, **row} for name, history in histories.items() for row in history]
    return csv_text([RUN, *columns], rows)
