"""The files of a history: JSON lines, which hold everything, and CSV, which holds the table.

A JSON-lines file has one object per line, each with an "event": "start" (versions, settings and initialisation of a
run), "epoch" (what was measured), "end" (why training stopped, the best epoch, the health of the code). A file may hold
several runs, one after the other, each with a name.
"""

import csv
import io
import json
import math
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from isthmus import __version__
from isthmus.core.json_type import Json

RUN = "run"
"""The key, and in CSV the column, of the names of runs."""
Row = Mapping[str, float]
"""What was measured in an epoch, by column."""


class RecordedRun(NamedTuple):
    """A run as a file has it."""

    name: str
    start: dict[str, Json]
    rows: list[dict[str, float]]
    end: dict[str, Json]


def start_line(facts: Mapping[str, Json]) -> str:
    """Return the first line of a run: the versions, and the facts that are given."""
    versions: dict[str, Json] = {"isthmus": __version__, "python": platform.python_version()}
    versions |= {package: version(package) for package in ("torch", "numpy", "scikit-learn")}
    return line({"event": "start", "versions": versions, **facts})


def epoch_line(row: Row) -> str:
    r"""Return the line of an epoch; values that are not finite are null.

    >>> epoch_line({"epoch": 1, "loss": float("nan")})
    '{"event": "epoch", "epoch": 1, "loss": null}\n'
    """
    return line({"event": "epoch", **{name: value if math.isfinite(value) else None for name, value in row.items()}})


def end_line(facts: Mapping[str, Json]) -> str:
    """Return the last line of a run."""
    return line({"event": "end", **facts})


def line(content: Mapping[str, Json]) -> str:
    """Return an object as one line of JSON."""
    return json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n"


def csv_text(columns: Iterable[str], rows: Iterable[Mapping[str, object]], head: bool = True) -> str:
    r"""Return rows as CSV, with their head; cells that were not measured are empty.

    >>> csv_text(["epoch", "loss", "val_loss"], [{"epoch": 1, "loss": 2.5}])
    'epoch,loss,val_loss\n1,2.5,\n'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    if head:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def runs_of_jsonl(path: Path) -> list[RecordedRun]:
    """Return the runs of a JSON-lines file, in their order.

    A last line without an end, which a power cut may leave, is left out.

    Raises
    ------
    ValueError
        If the file is none that isthmus wrote; the message names the line.
    """
    runs: list[RecordedRun] = []
    for number, text in enumerate(whole_lines(path), 1):
        content = parsed(text, path, number)
        event = content.pop("event", None)
        if event == "start":
            runs.append(RecordedRun(str(content.get(RUN, "")), content, [], {}))
        elif not runs or event not in ("epoch", "end"):
            raise ValueError(f"{path}, line {number}: a history begins with an event 'start'; this line has {event!r}")
        elif event == "epoch":
            runs[-1].rows.append({name: number_of(value, path, number) for name, value in content.items()})
        else:
            runs[-1].end.clear()
            runs[-1].end.update(content)
    return runs


def whole_lines(path: Path) -> list[str]:
    """Return the lines of a file that have an end."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no history: it is not text ({error.reason} at byte {error.start})") from error
    return [whole for whole in text.splitlines(keepends=True) if whole.endswith("\n")]


def parsed(text: str, path: Path, number: int) -> dict[str, Json]:
    """Return the object of a line."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number}, column {error.colno}: no JSON ({error.msg})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}, line {number}: an object was expected; got {text.strip()[:60]}")
    return content


def number_of(value: Json, path: Path, number: int) -> float:
    """Return a number of an epoch; null is NaN."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{path}, line {number}: a number was expected; got {value!r}")
    return value


def runs_of_csv(path: Path) -> list[RecordedRun]:
    """Return the runs of a CSV file: one, or one for each name in a column "run".

    Raises
    ------
    ValueError
        If it is no table of numbers with a column "epoch"; the message names the line.
    """
    table = csv.reader(whole_lines(path))
    columns = next(table, [])
    if "epoch" not in columns:
        raise ValueError(f"{path} is no history: its first line lists no column 'epoch'")
    runs: dict[str, RecordedRun] = {}
    for cells in table:
        if len(cells) != len(columns):
            raise ValueError(
                f"{path}, line {table.line_num}: {len(columns)} cells were expected, as in the first line; "
                f"got {len(cells)}"
            )
        row = dict(zip(columns, cells, strict=True))
        name = row.pop(RUN, "")
        run = runs.setdefault(name, RecordedRun(name, {}, [], {}))
        run.rows.append({key: cell_number(cell, path, table.line_num) for key, cell in row.items() if cell})
    return list(runs.values()) or [RecordedRun("", {}, [], {})]


def cell_number(cell: str, path: Path, number: int) -> float:
    """Return the number in a cell."""
    try:
        return int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        raise ValueError(f"{path}, line {number}: a number was expected; got {cell!r}") from None


def the_run(runs: list[RecordedRun], name: str | None, path: Path) -> RecordedRun:
    """Return the run of that name; without a name the only one there is.

    Raises
    ------
    ValueError
        If there is no run of that name, or there are several and no name is given.
    """
    named = {run.name: run for run in runs}
    if not runs:
        raise ValueError(f"{path} is no history: it has no whole line")
    if name is None and len(named) > 1:
        raise ValueError(f"{path} holds {len(named)} runs; say which: run={' or run='.join(map(repr, named))}")
    if name is not None and name not in named:
        raise ValueError(f"{path} holds no run {name!r}; it has {', '.join(map(repr, named))}")
    return runs[-1] if name is None else named[name]
