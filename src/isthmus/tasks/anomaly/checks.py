"""Checks of what a user gives to a detector, before anything is trained."""

import warnings

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


def warn_of_labels(y: object) -> None:
    """Warn if y looks like labels: one class, or two of which one may be anomalies."""
    if y is None:
        return
    labels = np.unique(np.asarray(y).astype(str))
    if len(labels) <= 2:
        what = f"holds one label ({labels[0]})" if len(labels) == 1 else f"holds two labels ({', '.join(labels)})"
        warnings.warn(
            f"y is ignored: a detector learns from X alone, and y {what}. If normal rows are known, fit on them with "
            "setting='clean'",
            UserWarning,
            stacklevel=4,
        )


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
