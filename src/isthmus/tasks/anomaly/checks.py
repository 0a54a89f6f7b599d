"""Checks of what a user gives to a detector, before anything is trained."""

import numpy as np
import scipy.sparse

from isthmus.core.checks import is_number
from isthmus.data.table import Numbers, is_sparse


def refuse_fraction(fraction: object) -> None:
    """Raise a `ValueError` if a `calibration_fraction` is neither "auto", a share in (0, 1) nor None."""
    if fraction is None or (isinstance(fraction, str) and fraction == "auto"):
        return
    if not isinstance(fraction, float | np.floating) or not (is_number(fraction) and 0 < fraction < 1):
        raise ValueError(f"calibration_fraction must be 'auto', a share in (0, 1) or None; got {fraction!r}")


def row_count(n: object) -> int:
    """Return a number of rows to report, or raise a `ValueError` if it is none of at least 1."""
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a whole number of rows, at least 1; got {n!r}")
    return int(n)


def refuse_identical(rows: Numbers) -> None:
    """Raise a `ValueError` if all rows (n, R) are the same."""
    first = dense(rows[:1])
    for start in range(0, rows.shape[0], 256):
        block = dense(rows[start : start + 256])
        if not np.array_equal(np.broadcast_to(first, block.shape), block, equal_nan=True):
            return
    raise ValueError(f"all {rows.shape[0]} rows of X are the same: one row does not tell what is normal")


def dense(rows: Numbers) -> np.ndarray:
    """Return rows (n, R) as a dense array, float64."""
    array = scipy.sparse.csr_array(rows).toarray() if is_sparse(rows) else rows
    return np.asarray(array, dtype=np.float64)
