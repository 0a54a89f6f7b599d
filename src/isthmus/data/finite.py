"""Refusal of values that are not finite, or too large to be squared, naming the columns."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from isthmus.data.table import Numbers

LARGEST = 1e150
"""The square of a larger number, summed over a table, overflows float64."""
CELLS = 2**20
"""Cells that are examined at a time."""


def refuse_non_finite(
    X: Numbers, names: Sequence[object] | None, start: int | None = None, *, in_use: bool = False
) -> None:
    """Raise a `ValueError` if a value is NaN, infinite or too large: in which columns, how many, and what to do.

    In use, cells of a dense table may be missing, and no finite value is too large.

    Parameters
    ----------
    X
        (n, F)
    names
        Of the columns.
    start
        Position of the first row, for blocks of a longer table: the message then names the range of rows.
    in_use
        Whether a fitted model is used on the rows.
    """
    problem = non_finite(X, names, in_use) if X.dtype.kind == "f" else ""
    if problem:
        where = "" if start is None else f". They are among the rows {start} to {start + X.shape[0] - 1}"
        raise ValueError(problem + where)


def non_finite(X: Numbers, names: Sequence[object] | None, in_use: bool) -> str:
    """Say which columns hold values that are not finite or too large; "" if none does."""
    bad = np.zeros(X.shape[1], dtype=np.int64)
    nan = 0
    allows_gaps = in_use and isinstance(X, np.ndarray)
    for values, column_of in cells(X):
        wrong = np.isinf(values) if allows_gaps else ~np.isfinite(values)
        if wrong.any():
            nan += int(np.isnan(values[wrong]).sum())
            bad += np.bincount(column_of(np.flatnonzero(wrong)), minlength=X.shape[1])
        elif not in_use and values.dtype.itemsize > 4 and np.abs(values).max(initial=0) > LARGEST:
            first = np.flatnonzero(np.abs(values) > LARGEST)[0]
            value = f"{column_label(int(column_of(first)), names)}: {values[first]:g}"
            return f"Input X has values too large to be squared ({value}); divide such columns first"
    if not bad.any():
        return ""
    columns = np.flatnonzero(bad)
    shown = ", ".join(f"{column_label(j, names)}: {bad[j]}" for j in columns[:5])
    more = f" and {len(columns) - 5} more columns" if len(columns) > 5 else ""
    return (
        f"Input X contains NaN or infinity: {nan} NaN and {int(bad.sum()) - nan} infinite values ("
        f"{shown}{more}). Columns may have missing cells where some have in fit, or with columns='auto'; make infinite "
        "values finite or missing"
    )


def cells(X: Numbers) -> Iterator[tuple[np.ndarray, Callable[[Any], Any]]]:
    """Yield the kept cells of a table in blocks: their values, and a function from their places to their columns."""
    if not isinstance(X, np.ndarray):
        for start in range(0, len(X.data), CELLS):
            yield X.data[start : start + CELLS], X.indices[start : start + CELLS].__getitem__
        return
    rows = max(1, CELLS // X.shape[1])
    for start in range(0, X.shape[0], rows):
        yield X[start : start + rows].ravel(), lambda cell: cell % X.shape[1]


def column_label(index: int, names: Sequence[object] | None) -> str:
    """Return what to call a column in a message."""
    return f"column {index}" if names is None else f"column {names[index]!r}"
