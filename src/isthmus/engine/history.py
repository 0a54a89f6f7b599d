"""`History`: the course of training, one row per epoch."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.core.files import atomic_write
from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.engine import history_files
from isthmus.engine.axes import axes_over_integers
from isthmus.engine.html_tables import html_table
from isthmus.engine.loss_curve import loss_curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMN_ORDER = {"epoch": 0, "learning_rate": 3, "seconds": 4}
"""Where columns stand; the terms in training have place 1, and those in validation 2."""
FIRST_SHOWN, LAST_SHOWN = 6, 5
"""Rows at both ends that a long history shows."""


class History:
    """The course of training: every term of the objective, the learning rate and the time, one row per epoch.

    If there are validation rows, epoch 0 is the network before the first step. The columns are `epoch`; `loss` (the
    objective in nats per row) and its terms, measured during the epoch's training; the same with the prefix `val_`,
    measured on the validation rows after the epoch; `learning_rate` at the end of the epoch; and `seconds` since the
    start of training. A value that was not measured is NaN.

    `history["loss"]` is a column, of shape (epochs,); iteration gives one dict per epoch. In a notebook a history
    shows itself as a table and a plot of the losses.

    Attributes
    ----------
    init : str
        The initialisation that was used, in words.
    stopped : str
        Why training ended.
    best_epoch : int
        The epoch whose weights were kept.
    health : dict of str to float
        How much of the trained code is in use, where that was measured: `active_units`, `used_units`, `used_codes`,
        `dead_outputs`, `needed` (principal components that hold nearly all of the variance).

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "loss": 2.0}); history.append({"epoch": 2, "loss": 1.5, "val_loss": 1.7})
    >>> history["loss"].tolist(), history["val_loss"].tolist()
    ([2.0, 1.5], [nan, 1.7])
    """

    def __init__(self, rows: list[dict[str, float]] | None = None) -> None:
        self.rows = rows or []
        self.init = ""
        self.stopped = ""
        self.best_epoch = 0
        self.health: dict[str, float] = {}

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch: a value for each column that was measured."""
        self.rows.append(dict(row))

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.stopped.startswith("interrupted")

    @property
    def columns(self) -> list[str]:
        """The names of the columns: the epoch, terms in training, terms in validation, learning rate, seconds."""
        return ordered(name for row in self.rows for name in row)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self.columns:
            raise KeyError(f"no column {column!r} in the history; there are {self.columns}")
        return np.array([row.get(column, np.nan) for row in self.rows])

    def to_dict(self) -> dict[str, Json]:
        """Return plain lists and strings, for JSON; values that are not finite become None."""
        return {
            "columns": {name: [v if np.isfinite(v) else None for v in self[name].tolist()] for name in self.columns},
            "init": self.init,
            "stopped": self.stopped,
            "best_epoch": self.best_epoch,
            "health": dict(self.health),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "History":
        """Return the history of which `to_dict` returned `plain`."""
        columns: dict[str, list[float | None]] = value_of(
            dict[str, list[float | None]], plain["columns"], "columns of the history"
        )
        if columns and "epoch" not in columns:
            raise ValueError("the history has no epochs")
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise ValueError("the columns of the history are of different lengths")
        length = max(lengths, default=0)
        rows = [
            {name: value for name, values in columns.items() if (value := values[i]) is not None} for i in range(length)
        ]
        history = cls(rows)
        history.init, history.stopped = (value_of(str, plain[name], name) for name in ("init", "stopped"))
        history.best_epoch = value_of(int, plain["best_epoch"], "best_epoch")
        history.health = value_of(dict[str, float], plain.get("health", {}), "health")
        return history

    @property
    def end(self) -> dict[str, Json]:
        """How training ended: `stopped`, `best_epoch` and `health`."""
        return {"stopped": self.stopped, "best_epoch": self.best_epoch, "health": dict(self.health)}

    def to_jsonl(self, path: str | Path, settings: Mapping[str, Json] | None = None) -> None:
        """Write everything to a file of JSON lines, whole or not at all.

        The first line holds the versions, the initialisation and the settings; then comes one line per epoch; the last
        line says how training ended. Each line has an "event": "start", "epoch" or "end". Values that are not finite
        are null.

        Parameters
        ----------
        path : str or Path
        settings : dict, optional
            Parameters of the estimator, for the first line.

        Raises
        ------
        OSError
            If the file cannot be written; what was at `path` is still there.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "run.jsonl"
        >>> History([{"epoch": 1, "loss": 2.0}]).to_jsonl(path)
        >>> History.from_jsonl(path)["loss"].tolist()
        [2.0]
        """
        write_text(Path(path), self.jsonl(settings or {}))

    def jsonl(self, settings: Mapping[str, Json], run: str = "") -> str:
        """Return the lines of `to_jsonl`, of a run of that name."""
        facts: dict[str, Json] = {history_files.RUN: run} if run else {}
        start = history_files.start_line(facts | {"init": self.init, "settings": dict(settings)})
        return "".join([start, *map(history_files.epoch_line, self.rows), history_files.end_line(self.end)])

    @classmethod
    def from_jsonl(cls, path: str | Path, run: str | None = None) -> "History":
        """Read a file of JSON lines that `to_jsonl`, `RecordHistory` or `write_records` wrote.

        Parameters
        ----------
        path : str or Path
            The file; it may be one that training still writes.
        run : str, optional
            The name of the run, if the file holds several.

        Raises
        ------
        ValueError
            If the file is no history, or holds several runs and `run` names none of them.
        OSError
            If it cannot be read.
        """
        found = history_files.the_run(history_files.runs_of_jsonl(Path(path)), run, Path(path))
        plain: dict[str, Any] = {"init": "", "stopped": "", "best_epoch": 0, "health": {}} | found.start | found.end
        history = cls(found.rows)
        history.init, history.stopped, history.best_epoch = plain["init"], plain["stopped"], plain["best_epoch"]
        history.health = plain["health"]
        return history

    def to_csv(self, path: str | Path) -> None:
        """Write the table to a CSV file, whole or not at all: a column per term, a line per epoch.

        Cells that were not measured are empty. How training started and ended is not in it; `to_jsonl` has it.

        Raises
        ------
        OSError
            If the file cannot be written; what was at `path` is still there.
        """
        write_text(Path(path), history_files.csv_text(self.columns, self.rows))

    @classmethod
    def from_csv(cls, path: str | Path, run: str | None = None) -> "History":
        """Read a CSV file that `to_csv`, `RecordHistory` or `write_records` wrote; parameters as in `from_jsonl`.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "run.csv"
        >>> History([{"epoch": 0, "val_loss": 3.0}, {"epoch": 1, "loss": 2.0, "val_loss": 1.5}]).to_csv(path)
        >>> History.from_csv(path)["loss"].tolist()
        [nan, 2.0]
        """
        return cls(history_files.the_run(history_files.runs_of_csv(Path(path)), run, Path(path)).rows)

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas DataFrame with one row per epoch.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame({name: self[name] for name in self.columns})

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Plot the training and validation loss per epoch with matplotlib.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed; the message names the command that installs it.

        Examples
        --------
        >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.5}])
        >>> history.plot().get_xlabel()
        'epoch'
        """
        ax = axes_over_integers(ax, "History.plot", "epoch", "loss (nats per row)")
        losses = self.losses()
        for name, values in losses.items():
            ax.plot(self["epoch"], values, marker="." if len(self) < 20 else "", label=name)
        if losses:
            ax.legend()
        return ax

    def losses(self) -> dict[str, np.ndarray]:
        """Return the training and the validation loss per epoch, those of them that were measured."""
        return {name: self[name] for name in ("loss", "val_loss") if name in self.columns}

    def cells(self) -> list[list[str]]:
        """Return the table as text; the middle of a long one is left out."""
        names = self.columns
        cells = [[format_cell(row.get(name)) for name in names] for row in self.rows]
        if len(cells) > FIRST_SHOWN + LAST_SHOWN + 1:
            cells[FIRST_SHOWN:-LAST_SHOWN] = [["..."] * len(names)]
        return cells

    @property
    def summary(self) -> str:
        """How training started and ended, in one line."""
        return f"start: {self.init}; end: {self.stopped}; weights of epoch {self.best_epoch}"

    def __repr__(self) -> str:
        lines = ["  ".join(f"{cell:>13}" for cell in cells) for cells in (self.columns, *self.cells())]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        if not self.rows:
            return "<p>no epochs yet</p>"
        curve = loss_curve(self["epoch"].tolist(), {name: values.tolist() for name, values in self.losses().items()})
        return f"<div>{curve}{html_table(self.columns, self.cells())}<p>{escape(self.summary)}</p></div>"


def ordered(names: Iterable[str]) -> list[str]:
    """Return the names of columns, each once: the epoch, terms in training, in validation, learning rate, seconds."""
    return sorted(dict.fromkeys(names), key=lambda name: COLUMN_ORDER.get(name, 2 if name.startswith("val_") else 1))


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def format_cell(value: float | None) -> str:
    """Return five significant digits, or nothing for a value that was not measured."""
    return "" if value is None else f"{value:.5g}"
