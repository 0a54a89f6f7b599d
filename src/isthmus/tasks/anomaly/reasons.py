"""What an explanation needs of a trained detector: rows as one value a column, guesses, and values to try."""

from typing import Any

import numpy as np
import torch

from isthmus.data.tables import TableScaling
from isthmus.engine.inference import map_rows
from isthmus.data.rows import Rows
from isthmus.tasks.anomaly.linear import RobustLinear

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of a column's training values, which an explanation tries in the place of the value seen."""
MOST_LEVELS = 20
"""Categories at most that are tried, the most frequent ones."""


class OneValueEach:
    """Rows of R numbers as rows of one value a column, and back.

    Times and the widest whole numbers are kept in two numbers; here they are one, near enough for a question of what
    would be normal.

    Parameters
    ----------
    table
        What the columns of a mixed table are; None for numbers alone, each of which is a column.
    """

    def __init__(self, table: TableScaling | None) -> None:
        self.table = table

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, R) to values (n, columns), float64."""
        if self.table is None:
            return np.asarray(numbers, dtype=np.float64)
        found = numbers[:, self.table.places].astype(np.float64)
        for place, high, low in self.wide():
            at = self.table.places[place]
            found[:, place] = numbers[:, at] * high + numbers[:, at + 1] * low
        return found

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Values (n, columns) to numbers (n, R)."""
        if self.table is None:
            return values
        found = np.empty((len(values), self.table.numbers))
        found[:, self.table.places] = values
        for place, high, low in self.wide():
            at = self.table.places[place]
            found[:, at] = np.floor(values[:, place] / high)
            found[:, at + 1] = (values[:, place] - found[:, at] * high) / low
        return found

    def wide(self) -> list[tuple[int, float, float]]:
        """Return columns of two numbers, and what one of the first and of the second is worth."""
        table = self.table
        assert table is not None, "numbers alone are one each"
        pairs = zip(table.real, table.high.tolist(), table.low.tolist(), strict=True)
        return [(index, high, low) for index, high, low in pairs if table.columns[index].wide]


def expectation(linear: RobustLinear, numbers: np.ndarray) -> np.ndarray:
    """Return what is expected of each cell given the row's other columns, as numbers (n, R)."""
    width = numbers.shape[1]

    def guess(raw: torch.Tensor) -> torch.Tensor:
        return linear.cells.inverse(linear.expected(linear.cells(raw).to(linear.device)).cpu())

    return map_rows(guess, Rows(numbers, dtype=torch.float64, resident=False), width)


def grid(values: np.ndarray, table: TableScaling | None) -> list[np.ndarray]:
    """Return the values to try in each column, by those of training rows (n, columns)."""
    found = []
    for index, column in enumerate(values.T):
        seen = column[~np.isnan(column)]
        named = table is not None and index in {*table.named, *table.flags}
        found.append(frequent(seen) if named else np.unique(np.quantile(seen, QUANTILES)) if len(seen) else seen)
    return found


def frequent(codes: np.ndarray) -> np.ndarray:
    """Return the most frequent codes."""
    levels, counts = np.unique(codes, return_counts=True)
    return np.asarray(levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]])


def named(columns: Any, count: int) -> list[Any]:
    """Return the names of columns, x0, x1, ... if they have none."""
    return [f"x{j}" for j in range(count)] if columns is None else list(columns)
