"""`History`: what happened in training, an epoch a row."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

PLACES = {"epoch": 0, "learning_rate": 3, "seconds": 4}


class History:
    """A table of training: every term of the objective (train and validation), learning rate, seconds.

    Rows are epochs. Epoch 0, where there are validation rows, is the network before the first step. Columns: `epoch`,
    `loss` (the objective, nats a row) and its terms, the same with `val_` on the validation rows, `learning_rate` at
    the end of the epoch, `seconds` since the start. A value that was not measured is NaN.

    Attributes
    ----------
    init : str
        Which initialisation was used, in words.
    stopped : str
        Why training ended.
    best_epoch : int
        The epoch whose weights were kept.
    health : dict of str to float
        What the trained code uses, where it was looked at: `active_units`, `used_units`, `used_codes`, `dead_outputs`.

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
        """Add an epoch."""
        self.rows.append(dict(row))

    @property
    def columns(self) -> list[str]:
        """The names of the columns: the epoch, what was trained on, what was judged, how, how long."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return sorted(names, key=lambda name: PLACES.get(name, 2 if name.startswith("val_") else 1))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self.columns:
            raise KeyError(f"no column {column!r} in the history; there are {self.columns}")
        return np.array([row.get(column, np.nan) for row in self.rows])

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and strings, for JSON; what is not finite becomes None."""
        columns = {name: [v if np.isfinite(v) else None for v in self[name].tolist()] for name in self.columns}
        facts = {"init": self.init, "stopped": self.stopped, "best_epoch": self.best_epoch, "health": self.health}
        return {"columns": columns} | facts

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "History":
        """Undo `to_dict`."""
        columns = plain["columns"]
        length = max((len(values) for values in columns.values()), default=0)
        rows = [{k: v[i] for k, v in columns.items() if v[i] is not None} for i in range(length)]
        history = cls(rows)
        history.init, history.stopped, history.best_epoch = plain["init"], plain["stopped"], plain["best_epoch"]
        history.health = dict(plain.get("health", {}))
        return history

    def to_frame(self) -> Any:
        """Return a pandas DataFrame (pandas has to be installed)."""
        import pandas as pd

        return pd.DataFrame({name: self[name] for name in self.columns})

    def __repr__(self) -> str:
        names = self.columns
        lines = ["  ".join(f"{name:>13}" for name in names)]
        shown = self.rows if len(self.rows) <= 12 else [*self.rows[:6], None, *self.rows[-5:]]
        for row in shown:
            cells = ["..."] * len(names) if row is None else [format_cell(row.get(name)) for name in names]
            lines.append("  ".join(f"{cell:>13}" for cell in cells))
        return "\n".join([*lines, f"start: {self.init}; end: {self.stopped}; weights of epoch {self.best_epoch}"])


def format_cell(value: float | None) -> str:
    """Five significant digits; nothing for what was not measured."""
    return "" if value is None else f"{value:.5g}"
