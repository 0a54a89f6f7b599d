"""`NewGaps`: cells that are missing in columns that had no gap in training, as when a sensor falls silent."""

from typing import Self

import numpy as np

from isthmus.data.columns import Columns
from isthmus.data.table import Numbers, is_sparse
from isthmus.data.tables import TableScaling
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.column_values import ColumnValues
from isthmus.tasks.anomaly.state import as_tensor


class NewGaps:
    """Raises the scores of rows that have new gaps.

    No training row had such a gap, so that a row with one is at least as odd as the oddest of them. By the rule of
    succession the chance of a gap in a column that had none in n rows is 1/(n + 1), so that each adds log(n + 1) to the
    surprisal.

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
    >>> gaps = NewGaps(None, rows=99, highest=5.0)
    >>> numbers = np.array([[1.0, 2.0], [np.nan, 2.0]])
    >>> gaps.raised(np.array([1.0, 1.0]), numbers).round(1).tolist()
    [1.0, 9.6]
    """

    def __init__(self, columns: Columns | None, rows: int, highest: float) -> None:
        self.values = ColumnValues(None if columns is None else TableScaling(columns))
        self.rows, self.highest = rows, highest
        without = [column.kind != "ignored" and column.missing == 0 for column in columns or ()]
        self.complete = None if columns is None else np.array(without, dtype=bool)

    def places(self, numbers: Numbers) -> np.ndarray | None:
        """Return which columns of numbers (n, R) have new gaps, (n, columns) bool; None if there are none."""
        if is_sparse(numbers) or numbers.dtype.kind != "f":
            return None
        missing = np.isnan(self.values.values(numbers))
        found = missing if self.complete is None else missing & self.complete
        return found if found.any() else None

    def raised(self, scores: np.ndarray, numbers: Numbers) -> np.ndarray:
        """Return the scores (n,) of numbers (n, R), higher where there are new gaps."""
        places = self.places(numbers)
        if places is None:
            return scores
        count = places.sum(1)
        return np.where(count > 0, np.maximum(scores, self.highest) + count * np.log(self.rows + 1), scores)

    def filled(self, numbers: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Return numbers (n, R) with the expected ones in new gaps."""
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
        return cls(columns, int(tensors["rows"]), float(tensors["highest"]))
