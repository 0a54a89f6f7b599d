"""`ColumnValues`: rows with one value per column, as an explanation needs them, and back to a table's numbers."""

import numpy as np

from isthmus.data.calendar import place_in
from isthmus.data.columns import AS_GIVEN
from isthmus.data.tables import TableScaling

MICROSECONDS = 86_400_000_000
"""Of a day."""


class ColumnValues:
    """Turns the numbers of a table into one value per column, and back.

    Times and the widest whole numbers are stored as two numbers. As one value they are rounded, which is precise
    enough to ask what would be normal; times are rounded to microseconds.

    Parameters
    ----------
    table
        The columns of a table of several kinds; None for numbers alone, each of which is a value.
    """

    def __init__(self, table: TableScaling | None) -> None:
        self.table = table

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Turn numbers (n, R) into values (n, columns), float64, NaN where missing."""
        if self.table is None:
            return np.asarray(numbers, dtype=np.float64)
        values = numbers[:, self.table.places].astype(np.float64)
        for index, high, low in pairs(self.table):
            place = self.table.places[index]
            values[:, index] = numbers[:, place] * high + numbers[:, place + 1] * low
        return values

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Turn values (n, columns) into numbers (n, R)."""
        if self.table is None:
            return values
        numbers = np.zeros((len(values), self.table.numbers))
        numbers[:, self.table.places] = values
        for index, high, low in pairs(self.table):
            place = self.table.places[index]
            numbers[:, place] = np.floor(values[:, index] / high)
            # A float has microseconds of a time in days, and no nanoseconds.
            step = max(self.table.columns[index].ticks // MICROSECONDS, 1)
            numbers[:, place + 1] = np.round((values[:, index] - numbers[:, place] * high) / low / step) * step
        return numbers

    def considered(self, count: int) -> np.ndarray:
        """Return which of so many columns the model looks at, (count,) bool: all but ignored ones."""
        if self.table is None:
            return np.ones(count, dtype=bool)
        return np.array([column.kind != "ignored" for column in self.table.columns], dtype=bool)

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Return values (n, columns) of the columns that are looked at, (n, considered), as later rows repeat them.

        Of times of which only the calendar is known, these are the places in the shortest cycle.
        """
        found = values[:, self.considered(values.shape[1])]
        if self.table is None:
            return found
        for place, column in enumerate(column for column in self.table.columns if column.kind != "ignored"):
            if column.kind == "date-time" and column.cycles:
                found[:, place] = place_in(found[:, place], column.cycles[0])
        return found

    def can_take_others(self, index: int) -> bool:
        """Whether the values of other rows may stand in a column: not where they are times, or ignored."""
        return self.table is None or self.table.columns[index].kind not in AS_GIVEN

    def is_categorical(self, index: int) -> bool:
        """Whether the values of a column are codes of categories, or booleans."""
        return self.table is not None and index in {*self.table.named, *self.table.flags}


def pairs(table: TableScaling) -> list[tuple[int, float, float]]:
    """Return the columns stored as two numbers, and what one unit of the first and of the second number is worth."""
    return [(index, *column.unit_values) for index, column in enumerate(table.columns) if column.wide]
