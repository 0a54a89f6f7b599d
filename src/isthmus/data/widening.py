"""Widening: what is known about columns takes in the values of more rows."""

import math
from dataclasses import replace

import numpy as np
from torch import Tensor

from isthmus.data.column_survey import DECIMALS
from isthmus.data.columns import Column, Columns
from isthmus.data.tables import TableScaling


class Widening:
    """The range and the rounding of the columns of a table, as more rows come.

    Parameters
    ----------
    scaling : TableScaling
        Of the table so far.

    Examples
    --------
    >>> import torch
    >>> column = Column("x", "float", "real", "gaussian", 0.0, smallest=1.0, largest=2.0, step=1.0)
    >>> widening = Widening(TableScaling([column]))
    >>> widening.look(torch.tensor([[2.5], [torch.nan]], dtype=torch.float64))
    >>> widening.columns[0].largest, widening.columns[0].step
    (2.5, 0.1)
    """

    def __init__(self, scaling: TableScaling) -> None:
        self.scaling = scaling
        self.columns = Columns(scaling.columns)

    def look(self, raw: Tensor) -> None:
        """Take in rows of numbers (b, R)."""
        found = list(self.columns)
        values = self.scaling.real_values(raw).numpy()
        for place, index in enumerate(self.scaling.real):
            found[index] = widened(found[index], values[:, place])
            if found[index].sort in ("time", "duration"):
                ticks = raw[:, self.scaling.places[index] + 1].numpy()
                found[index] = replace(found[index], step=common_ticks(found[index].step, ticks))
        for index in self.scaling.counted:
            found[index] = widened(found[index], raw[:, self.scaling.places[index]].numpy())
        self.columns = Columns(found)


def widened(column: Column, values: np.ndarray) -> Column:
    """Return a column with values (n,) more, NaN where they are missing."""
    values = values[~np.isnan(values)]
    if not len(values) or column.kind == "ordinal":  # Ranks have a range of their own.
        return column
    smallest, largest = min(column.smallest, float(values.min())), max(column.largest, float(values.max()))
    step = column.step if column.sort in ("time", "duration") else finer_step(column.step, values)
    return replace(column, smallest=smallest, largest=largest, step=step)


def finer_step(step: float, values: np.ndarray) -> float:
    """Return the number that all values (n,) are multiples of, given that those before were multiples of `step`.

    >>> finer_step(1.0, np.array([0.25, 3.0])), finer_step(0.1, np.array([2.0])), finer_step(1.0, np.array([np.pi]))
    (0.01, 0.1, 0.0)
    """
    if step <= 0:
        return 0.0
    for decimals in range(max(0, -round(math.log10(step))), DECIMALS + 1):
        if np.array_equal(np.round(values, decimals), values):
            return step if decimals == 0 else 10.0**-decimals
    return 0.0


def common_ticks(step: float, ticks: np.ndarray) -> float:
    """Return the greatest number of ticks that `step` and all these ticks within the day (n,) are multiples of."""
    whole = ticks[~np.isnan(ticks)].astype(np.int64)
    return float(np.gcd.reduce(np.append(whole, np.int64(step))))
