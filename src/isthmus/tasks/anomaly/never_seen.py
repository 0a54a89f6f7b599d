"""`NeverSeen`: cells that no training row can have had, as when a sensor falls silent, or a count is negative."""

from dataclasses import replace
from typing import Self

import numpy as np
import torch

from isthmus.core.checked_tensors import checked
from isthmus.data.columns import Column, Columns
from isthmus.data.encoding import nearest_possible
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, is_sparse
from isthmus.data.tables import TableScaling
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.column_values import ColumnValues
from isthmus.tasks.anomaly.state import as_tensor

MOST_ROWS = 2**53
"""Rows that a file may say there were."""
LIMITED = ("boolean", "count", "ordinal")
"""The kinds of columns some of whose values are impossible."""


class NeverSeen:
    """Raises the scores of rows with cells that no training row had.

    They are gaps in columns that had none, and values that are impossible in a column of its kind: negative or broken
    counts, booleans other than 0 and 1, new levels of an ordinal column. A row with one is at least as odd as the
    oddest training row. By the rule of succession the chance of such a cell after n rows without is 1/(n + 1), so that
    each adds log(n + 1) to the surprisal.

    Parameters
    ----------
    columns
        The columns of a table of several kinds; None for numbers alone.
    rows
        n, training rows.
    highest
        The highest score of a training row.

    Examples
    --------
    >>> never_seen = NeverSeen(None, rows=99, highest=5.0)
    >>> numbers = np.array([[1.0, 2.0], [np.nan, 2.0]])
    >>> never_seen.raised(np.array([1.0, 1.0]), numbers).round(1).tolist()
    [1.0, 9.6]
    """

    def __init__(self, columns: Columns | None, rows: int, highest: float) -> None:
        self.table = None if columns is None else TableScaling(columns)
        self.values = ColumnValues(self.table)
        self.rows, self.highest = rows, highest
        without = [column.kind != "ignored" and column.missing == 0 for column in columns or ()]
        self.complete = None if columns is None else np.array(without, dtype=bool)

    def places(self, numbers: Numbers) -> np.ndarray | None:
        """Return which cells of numbers (n, R) were never seen, (n, columns) bool; None if there are none."""
        if is_sparse(numbers) or numbers.dtype.kind != "f":
            return None
        missing = np.isnan(self.values.values(numbers))
        found = missing if self.complete is None else missing & self.complete
        for index, place in self.limited():
            seen = numbers[:, place]
            found[:, index] |= ~np.isnan(seen) & (nearest_possible(self.column(index), seen) != seen)
        return found if found.any() else None

    def possible(self, numbers: Numbers) -> Numbers:
        """Return numbers (n, R) with the nearest possible ones in the place of those that are impossible."""
        if self.table is None or is_sparse(numbers):
            return numbers
        nearest = numbers
        for index, place in self.limited():
            seen = numbers[:, place]
            possible = nearest_possible(self.column(index), seen)
            if not np.array_equal(possible, seen, equal_nan=True):
                nearest = numbers.copy() if nearest is numbers else nearest
                nearest[:, place] = possible
        return nearest

    def limited(self) -> list[tuple[int, int]]:
        """Return the columns some of whose values are impossible, each with the place of its number in a row."""
        if self.table is None:
            return []
        return [(index, self.table.places[index]) for index, c in enumerate(self.table.columns) if c.kind in LIMITED]

    def column(self, index: int) -> Column:
        """Return what is known of a column."""
        assert self.table is not None, "only tables of several kinds have columns"
        return self.table.columns[index]

    def raised(self, scores: np.ndarray, numbers: Numbers) -> np.ndarray:
        """Return the scores (n,) of numbers (n, R), higher where cells were never seen."""
        places = self.places(numbers)
        if places is None:
            return scores
        count = places.sum(1)
        return np.where(count > 0, np.maximum(scores, self.highest) + count * np.log(self.rows + 1), scores)

    def filled(self, numbers: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Return numbers (n, R) with the expected ones in cells that were never seen."""
        places = self.places(numbers)
        if places is None:
            return numbers
        values = np.where(places, self.values.values(expected), self.values.values(numbers))
        return self.values.numbers(values)

    def state(self) -> State:
        """Return the number of rows and the highest score."""
        return State({}, {"rows": as_tensor(self.rows), "highest": as_tensor(self.highest)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, columns: Columns | None) -> Self:
        """Undo `state`."""
        rows = int(checked(tensors, "rows", (), torch.int64, least=0, most=MOST_ROWS))
        return cls(columns, rows, float(checked(tensors, "highest", ())))


def reading_any_value(schema: TableSchema) -> TableSchema:
    """Return the schema of a table whose impossible values are read as they are, so that `NeverSeen` finds them."""
    if schema.columns is None:
        return schema
    return replace(schema, columns=Columns(replace(column, any_value=True) for column in schema.columns))
