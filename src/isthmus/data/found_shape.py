"""`found_shape`: whether flat rows are evidently images, by how their columns go together."""

import numpy as np

LEAST_ROWS, MOST_ROWS = 50, 500
"""Rows by which a shape is found."""
LEAST_SIDE = 4
"""Pixels of the shortest side."""
TOGETHER = 0.2
"""Least mean correlation of pixels with their neighbours, in the line and a line below."""
ABOVE = 0.1
"""By how much pixels a line apart are more alike than those two pixels more or less apart."""
LONGEST = 4
"""Greatest ratio of the sides."""


def found_shape(rows: np.ndarray) -> tuple[int, int] | None:
    """Return height and width if flat rows (n, F) are evidently images of one channel, else None.

    In an image a pixel goes with the one below it, W columns further, nearly as closely as with its neighbour in the
    line, and more closely than with those W - 2 and W + 2 columns further. Series and spectra show no such return, and
    columns without an order are not alike at all.

    Parameters
    ----------
    rows
        (n, F) numbers, at least 50 rows; of more than 500, every so many are looked at.

    Examples
    --------
    >>> from sklearn.datasets import load_digits, load_wine
    >>> found_shape(load_digits().data), found_shape(load_wine().data)
    ((8, 8), None)
    """
    if len(rows) < LEAST_ROWS:
        return None
    standard, varies = standardised(rows[:: -(-len(rows) // MOST_ROWS)])
    count = len(varies)
    widths = [
        width
        for width in range(LEAST_SIDE, count // LEAST_SIDE + 1)
        if count % width == 0 and max(width, count // width) <= LONGEST * min(width, count // width)
    ]
    alike = {width: likeness(standard, varies, width) for width in widths}
    best = max(alike, key=lambda width: alike[width], default=None)
    if best is None or alike[best] < TOGETHER or likeness(standard, varies, 1) < TOGETHER:
        return None
    beside = max(likeness(standard, varies, best - 2), likeness(standard, varies, best + 2))
    return (count // best, best) if alike[best] >= beside + ABOVE else None


def standardised(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns (n, F) of mean 0 and standard deviation 1, or of zeros, and which of them vary, (F,)."""
    centred = rows - rows.mean(0, dtype=np.float64)
    spread = np.sqrt((centred**2).mean(0))
    varies = spread > 0
    return centred / np.where(varies, spread, 1.0), varies


def likeness(standard: np.ndarray, varies: np.ndarray, apart: int) -> float:
    """Return the mean correlation of columns that are so many places apart, where both vary."""
    both = varies[apart:] & varies[:-apart]
    if not both.any():
        return 0.0
    return float((standard[:, apart:] * standard[:, :-apart]).mean(0)[both].mean())
