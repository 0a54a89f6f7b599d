"""Arrays of texts that are numbers, as numbers: what scikit-learn's checks read as numbers, and gaps."""

import numpy as np

from isthmus.data.gaps import is_gap, is_gap_text


def numbers_of_texts(X: np.ndarray) -> np.ndarray:
    """Return an array (n, F) of texts that are all numbers, or stand for missing ones, as floats; others as they are.

    Parameters
    ----------
    X
        Texts, bytes, or objects of which some are texts. Numbers are what Python's `float` reads.

    Raises
    ------
    ValueError
        If X is an array of bytes that are not numbers.

    Examples
    --------
    >>> numbers_of_texts(np.array([["1.5", "2"], ["", "-3e2"]]))
    array([[   1.5,    2. ],
           [   nan, -300. ]])
    >>> numbers_of_texts(np.array([["1.5", "red"]])).tolist()
    [['1.5', 'red']]
    """
    if X.ndim != 2 or X.dtype.kind not in "OUS":
        return X
    objects = X.astype(object)
    if X.dtype.kind == "O" and not any(isinstance(cell, str | bytes) for cell in objects.flat):
        return X
    numbers = [number(cell) for cell in objects.flat]
    if any(value is None for value in numbers) or all(value != value for value in numbers):
        if X.dtype.kind == "S":
            raise ValueError("X holds bytes that are not numbers; give numpy.char.decode(X, 'utf-8')")
        return X
    return np.array(numbers, dtype=np.float64).reshape(X.shape)


def number(cell: object) -> float | None:
    """Return the number that a cell of an array is; NaN where it is missing, and None if it is something else."""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", errors="replace")
    if is_gap(cell) or (isinstance(cell, str) and is_gap_text(cell)):
        return float("nan")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
