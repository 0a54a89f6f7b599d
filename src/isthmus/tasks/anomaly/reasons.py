"""`Reasons`: what it takes to explain a trained detector's scores, in rows of one value a column."""

from typing import Any

import numpy as np
import scipy.sparse
import torch

from isthmus.data.rows import Rows
from isthmus.data.tables import TableScaling
from isthmus.engine.inference import map_rows
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.explanation import replaced, shared
from isthmus.tasks.anomaly.mahalanobis import RobustLinear

WIDE = 128
"""Columns above which contributions go by shares of the errors, as for images."""
MOST_CELLS = 2000
"""Cells above which no matrix of them all is kept; what is expected of a column then is what is typical."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of a column's training values, which are tried in the place of the value seen."""
MOST_LEVELS = 20
"""Categories at most that are tried, the most frequent ones."""


class Reasons:
    """Explains rows of numbers (n, R) that an ensemble scores.

    Parameters
    ----------
    ensemble
        Trained.
    numbers
        (n, R) training rows.
    linear
        Tells what is expected of each cell given the others; None for rows too wide for that, and for sparse ones.
    table
        What the columns of a mixed table are; None for numbers alone, each of which is a column.
    """

    def __init__(
        self, ensemble: Ensemble, numbers: Any, linear: RobustLinear | None, table: TableScaling | None
    ) -> None:
        self.ensemble, self.linear, self.table = ensemble, linear, table
        self.typical = float(np.median(ensemble.score(numbers[:1000])))
        if scipy.sparse.issparse(numbers):
            self.middle, self.grid = np.zeros(numbers.shape[1]), []
            return
        values = self.values(numbers)
        self.grid = [self._tried(index, column) for index, column in enumerate(values.T)]
        self.middle = np.array([self._typical(index, column) for index, column in enumerate(values.T)])

    def explained(self, numbers: Any, depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores (n,), contributions (n, columns), and the expected values as numbers (n, R)."""
        scores = self.ensemble.score(numbers)
        sparse = scipy.sparse.issparse(numbers)
        values = None if sparse else self.values(numbers)
        if values is None or values.shape[1] > WIDE:
            contributions = shared(scores, self.typical, self.ensemble.errors(numbers))
            return scores, contributions, self._expected(numbers) if values is not None else self._middle(numbers)
        contributions, expected = replaced(
            values, lambda rows: self.ensemble.score(self.numbers(rows)), self._guess, self.grid, depth
        )
        # A time is explained by the one value it is near; the last digits of the score are the row's own.
        contributions += ((scores - contributions.sum(1)) / values.shape[1])[:, None]
        return scores, contributions, self.numbers(expected)

    def _guess(self, values: np.ndarray) -> np.ndarray:
        return self.values(self._expected(self.numbers(values)))

    def _expected(self, numbers: np.ndarray) -> np.ndarray:
        """Return what is expected of each column given the row's others, as numbers (n, R)."""
        linear = self.linear
        if linear is None:
            return self._middle(numbers)

        def guess(raw: torch.Tensor) -> torch.Tensor:
            return linear.cells.inverse(linear.expected(linear.cells(raw).to(linear.device)).cpu())

        return map_rows(guess, Rows(numbers, dtype=torch.float64, resident=False), numbers.shape[1])

    def _middle(self, numbers: Any) -> np.ndarray:
        """Return what is typical of each column, for every row, as numbers (n, R)."""
        middle = self.middle[None] if self.table is None else self.numbers(self.middle[None])
        return np.repeat(middle, numbers.shape[0], axis=0)

    def _typical(self, index: int, column: np.ndarray) -> float:
        """Return the most frequent category of a column, or the middle one of its values (n,)."""
        seen = column[~np.isnan(column)]
        if not len(seen):
            return np.nan
        return float(self.grid[index][0] if self._named(index) else np.quantile(seen, 0.5, method="nearest"))

    def _named(self, index: int) -> bool:
        """Whether a column's values are codes of categories, or booleans."""
        return self.table is not None and index in {*self.table.named, *self.table.flags}

    def _tried(self, index: int, column: np.ndarray) -> np.ndarray:
        """Return the values to try in a column, by those of training rows (n,)."""
        seen = column[~np.isnan(column)]
        if self._named(index):
            levels, counts = np.unique(seen, return_counts=True)
            return np.asarray(levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]])
        return np.unique(np.quantile(seen, QUANTILES, method="nearest")) if len(seen) else seen

    # Times and the widest whole numbers are kept in two numbers; in an explanation they are one, which is near enough
    # for a question of what would be normal.

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, R) to values (n, columns), float64."""
        if self.table is None:
            return np.asarray(numbers, dtype=np.float64)
        found = numbers[:, self.table.places].astype(np.float64)
        for index, high, low in self._in_two():
            at = self.table.places[index]
            found[:, index] = numbers[:, at] * high + numbers[:, at + 1] * low
        return found

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Values (n, columns) to numbers (n, R)."""
        if self.table is None:
            return values
        found = np.zeros((len(values), self.table.numbers))
        found[:, self.table.places] = values
        for index, high, low in self._in_two():
            at = self.table.places[index]
            found[:, at] = np.floor(values[:, index] / high)
            found[:, at + 1] = (values[:, index] - found[:, at] * high) / low
        return found

    def _in_two(self) -> list[tuple[int, float, float]]:
        """Return the columns of two numbers, and what one of the first and of the second is worth."""
        table = self.table
        assert table is not None, "numbers alone are one each"
        pairs = zip(table.real, table.high.tolist(), table.low.tolist(), strict=True)
        return [(index, high, low) for index, high, low in pairs if table.columns[index].wide]
