"""`Explainer`: says which columns make a row odd, and which values would have been expected."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch

from isthmus.core.checked_tensors import checked
from isthmus.core.typed_json import value_of
from isthmus.data.rows import Rows
from isthmus.data.table import Numbers, is_sparse
from isthmus.data.tables import TableScaling
from isthmus.engine.inference import map_rows
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.column_values import ColumnValues
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.mahalanobis import Mahalanobis
from isthmus.tasks.anomaly.replacement import replaced, shared
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.training import Training
from isthmus.tasks.anomaly.value_ranges import ValueRanges

WIDE = 128
"""Number of columns above which contributions follow the shares of the errors, as for images."""
MOST_CELLS = 2000
"""Number of cells above which no matrix of all of them is kept, so that expected values are the typical ones."""
TYPICAL_ROWS = 1000
"""Training rows that tell the typical score."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a column's training values that are tried in the place of the value seen."""
MOST_LEVELS = 20
"""Greatest number of categories that are tried, the most frequent ones."""

SWEEPS = 10
"""Greatest number of times that each of several columns takes what is expected of it."""
FARTHEST = 1e150
"""Greatest distance from a typical value that is squared."""


class Explained(NamedTuple):
    """An explanation of rows in numbers."""

    scores: np.ndarray
    """(n,)"""
    contributions: np.ndarray
    """(n, columns); they add up to the scores."""
    expected: np.ndarray
    """(n, R) numbers."""
    never_seen: np.ndarray | None = None
    """(n, columns) whether no training row had such a cell; None if all had."""


class Explainer:
    """Explains the scores that an ensemble gives to rows of numbers (n, R).

    Parameters
    ----------
    ensemble
        Trained.
    linear
        Predicts each cell from the others; None for sparse rows and for rows too wide for that.
    columns
        Turns numbers into one value per column.
    typical_score
        The median score of training rows.
    typical
        (columns,) the median value, or most frequent category, of each column.
    grid
        Values to try in each column; empty for sparse rows.
    ranges
        Of the columns of a table of numbers alone, within which expected values lie; None for others and sparse rows.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        linear: Mahalanobis | None,
        columns: ColumnValues,
        typical_score: float,
        typical: np.ndarray,
        grid: list[np.ndarray],
        ranges: ValueRanges | None = None,
    ) -> None:
        self.ensemble, self.linear, self.columns = ensemble, linear, columns
        self.typical_score, self.typical, self.grid, self.ranges = typical_score, typical, grid, ranges

    @classmethod
    def of(cls, ensemble: Ensemble, training: Training) -> Self:
        """Learn from the rows that the ensemble was trained on what is typical of them."""
        numbers = training.numbers
        score = float(np.median(ensemble.score(numbers[:TYPICAL_ROWS])))
        if is_sparse(numbers):
            return cls(ensemble, None, ColumnValues(None), score, np.zeros(numbers.shape[1]), [])
        columns = ColumnValues(training.cells.table)
        values = columns.values(numbers).T
        grid = [
            values_to_try(column, columns.is_categorical(index)) if columns.can_take_others(index) else np.empty(0)
            for index, column in enumerate(values)
        ]
        typical = [
            typical_value(column, tried, columns.is_categorical(index))
            for index, (column, tried) in enumerate(zip(values, grid, strict=True))
        ]
        linear = Mahalanobis.trained_on(training) if training.cells.count <= MOST_CELLS else None
        ranges = ValueRanges.of(values.T) if columns.table is None else None
        return cls(ensemble, linear, columns, score, np.array(typical), grid, ranges)

    def explain(self, numbers: Numbers, depth: int) -> Explained:
        """Explain rows of numbers (n, R), replacing at most `depth` columns per row.

        Cells that no training row had take the values that are expected; what they add to the score is theirs.
        """
        never_seen = self.ensemble.never_seen.places(numbers)
        if never_seen is None:
            return self.explain_whole(numbers, depth)
        dense = np.asarray(numbers)
        scores = self.ensemble.score(dense)
        found = self.explain_whole(self.ensemble.never_seen.filled(dense, self._expected(dense)), depth)
        shares = never_seen / np.maximum(never_seen.sum(1, keepdims=True), 1)
        contributions = found.contributions + (scores - found.scores)[:, None] * shares
        return Explained(scores, contributions, found.expected, never_seen)

    def explain_whole(self, numbers: Numbers, depth: int) -> Explained:
        """Explain rows without cells that were never seen."""
        scores = self.ensemble.score(numbers)
        if is_sparse(numbers):
            return Explained(scores, self._shares(scores, numbers), self.typical_rows(numbers))
        values = self.columns.values(numbers)
        if values.shape[1] > WIDE:
            return Explained(scores, self._shares(scores, numbers), self._expected(numbers))
        considered = self.columns.considered(values.shape[1])
        contributions, expected = replaced(values, self._score, self._guess, self.grid, depth, considered)
        # A time is explained by its rounded value; the difference to the score of the row itself is spread evenly.
        contributions += ((scores - contributions.sum(1)) / max(1, considered.sum()))[:, None] * considered
        return Explained(scores, contributions, self.columns.numbers(expected))

    def _shares(self, scores: np.ndarray, numbers: Numbers) -> np.ndarray:
        errors = self.ensemble.errors(numbers)
        errors = self._own_errors(numbers) if errors is None else errors
        return shared(scores, self.typical_score, errors, self.columns.considered(errors.shape[1]))

    def _own_errors(self, numbers: Numbers) -> np.ndarray:
        """Return errors (n, columns) where no method tells columns apart.

        They are those of the linear model; without one, squared distances from the typical values, in units of the
        range of the values to try.
        """
        if self.linear is not None:
            return self.linear.errors(numbers)
        ranges = np.array([np.ptp(tried) if len(tried) else 0.0 for tried in self.grid])
        distance = self.columns.values(numbers) - self.typical
        return np.asarray((distance / np.where(ranges > 0, ranges, 1.0)).clip(-FARTHEST, FARTHEST) ** 2)

    def _score(self, values: np.ndarray) -> np.ndarray:
        return self.ensemble.score(self.columns.numbers(values))

    def _guess(self, values: np.ndarray) -> np.ndarray:
        return self.columns.values(self._expected(self.columns.numbers(values)))

    def _expected(self, numbers: np.ndarray) -> np.ndarray:
        """Return what is expected of each column given the row's others, as numbers (n, R)."""
        linear = self.linear
        if linear is None:
            return self.typical_rows(numbers)

        def guess(raw: torch.Tensor) -> torch.Tensor:
            return linear.cells.inverse(linear.expected(linear.cells(raw).to(linear.device)).cpu(), near=raw)

        found = map_rows(guess, Rows(numbers, dtype=torch.float64, resident=False), numbers.shape[1])
        return found if self.ranges is None else self.ranges.nearest(found)

    def together(self, numbers: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return numbers (n, R) with columns `chosen` (n, k) replaced by what is expected of all of them together.

        Each in turn takes what is expected given the row's others, until none changes (Gauss-Seidel).
        """
        now, rows = self.columns.values(numbers).copy(), np.arange(len(numbers))
        for _ in range(SWEEPS):
            before = now.copy()
            for columns in chosen.T:
                now[rows, columns] = self._guess(now)[rows, columns]
            if np.array_equal(before, now, equal_nan=True):
                break
        return self.columns.numbers(now)

    def typical_rows(self, numbers: Numbers) -> np.ndarray:
        """Return the typical value of each column, for every row, as numbers (n, R)."""
        return np.repeat(self.columns.numbers(self.typical[None]), numbers.shape[0], axis=0)

    def refuse_broken(self, width: int, *, sparse: bool) -> None:
        """Raise a `ValueError` if the columns of what was restored are not those of rows of that many numbers."""
        table = self.columns.table
        columns = width if table is None else len(table.columns)
        sizes = {columns, len(self.typical), *([] if sparse else [len(self.grid)])}
        if self.ranges is not None:
            sizes.add(len(self.ranges.lowest))
        if self.linear is not None:
            sizes.add(self.linear.cells.columns)
        if sizes != {columns} or (table is not None and table.numbers != width) or (sparse and self.grid):
            raise ValueError(f"it does not explain rows of {width} numbers")
        if table is not None:
            refuse_no_categories(table, [*self.grid, *self.typical[:, None]])

    def state(self) -> State:
        """Return what it takes to rebuild the explainer, apart from the ensemble."""
        tensors = {
            "typical_score": as_tensor(self.typical_score),
            "typical": as_tensor(self.typical),
            "grid": as_tensor(np.concatenate([*self.grid, np.empty(0)])),
            "grid_sizes": as_tensor(np.array([len(tried) for tried in self.grid], dtype=np.int64)),
        }
        tensors |= {} if self.ranges is None else self.ranges.state()
        facts = {"by_columns": self.columns.table is not None}
        linear = {} if self.linear is None else {"linear": self.linear.state()}
        return nest(linear, facts, tensors)

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings, ensemble: Ensemble) -> Self:
        """Rebuild an explainer of an ensemble."""
        known = surroundings.columns if value_of(bool, facts["by_columns"], "by_columns") else None
        linear = None
        if "linear" in facts:
            linear = Mahalanobis.from_state(*member("linear", facts, tensors), surroundings)
        sizes = checked(tensors, "grid_sizes", (None,), torch.int64, least=0)
        numbers = checked(tensors, "grid", (int(sizes.sum()),))
        grid = [piece.numpy() for piece in numbers.split(sizes.tolist())] if len(sizes) else []
        # Of a column without any value nothing is typical.
        typical = checked(tensors, "typical", (None,), finite=False)
        return cls(
            ensemble,
            linear,
            ColumnValues(None if known is None else TableScaling(known)),
            float(checked(tensors, "typical_score", ())),
            typical.numpy(),
            grid,
            ValueRanges.from_state(tensors),
        )


def refuse_no_categories(table: TableScaling, values: Sequence[np.ndarray]) -> None:
    """Raise a `ValueError` if values of a column of categories, one array or several per column, are no categories."""
    for place, column in enumerate(table.columns):
        for found in values[place :: len(table.columns)] if column.kind == "category" else ():
            seen = found[~np.isnan(found)]
            if ((seen < 0) | (seen >= len(column.places)) | (seen != np.round(seen))).any():
                raise ValueError(f"it explains by categories that the column {str(column.name)[:60]!r} has not")


def values_to_try(column: np.ndarray, categorical: bool) -> np.ndarray:
    """Return the values to try in a column of training rows (n,); categories with the most frequent first."""
    seen = column[~np.isnan(column)]
    if categorical:
        levels, counts = np.unique(seen, return_counts=True)
        return np.asarray(levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]])
    return np.unique(np.quantile(seen, QUANTILES, method="nearest")) if len(seen) else seen


def typical_value(column: np.ndarray, tried: np.ndarray, categorical: bool) -> float:
    """Return the most frequent category of a column, or the median of its values (n,); NaN if it has none."""
    seen = column[~np.isnan(column)]
    if not len(seen):
        return np.nan
    return float(tried[0] if categorical else np.quantile(seen, 0.5, method="nearest"))
