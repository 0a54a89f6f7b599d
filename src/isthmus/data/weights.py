"""Sample weights: checked, normalised, and rows of weight 0 left out."""

from collections.abc import Sized
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight

from isthmus.data.table import Table

SomeTable = TypeVar("SomeTable", bound=Table)


def weighted(table: SomeTable, sample_weight: ArrayLike | None, least: int) -> tuple[SomeTable, np.ndarray | None]:
    """Return the table without rows of weight 0, and the weights of the others (None for equal ones).

    Parameters
    ----------
    table
        n rows.
    sample_weight
        (n,) weights, at least 0.
    least
        Positive weights that are needed.

    Raises
    ------
    ValueError
        If there are not n weights, if one is negative or infinite, or if fewer than `least` are positive.
    """
    if sample_weight is None:
        return table, None
    weight = checked(sample_weight, table)
    used = weight > 0
    chosen = table.selected(used) if not used.all() else table
    refuse_too_few(used, least)
    return chosen, normalised(weight)[used]


def checked(sample_weight: ArrayLike, rows: Sized) -> np.ndarray:
    """Return weights of rows as float64 (n,), checked by scikit-learn's rules."""
    weight: np.ndarray = _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    return weight


def refuse_too_few(used: np.ndarray, least: int) -> None:
    """Raise a `ValueError` if fewer than `least` weights are positive."""
    if used.sum() < least:
        raise ValueError(f"{used.sum()} sample weights are positive, but at least {least} must be")


def normalised(weight: np.ndarray) -> np.ndarray:
    """Return weights with mean 1 over the positive ones: only ratios count, and sums stay small in float32."""
    used = weight > 0
    weight = weight / weight[used].max()
    weight /= weight[used].mean()
    return weight
