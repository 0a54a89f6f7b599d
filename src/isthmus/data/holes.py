"""Holes in arrays and images: cells that a mask hides become missing, and what fills them comes into them alone."""

from typing import Any

import numpy as np

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.gaps import is_gap
from isthmus.data.images import array_of_images, dimensions

SMALL = 2
"""Bytes of whole numbers that float32 holds."""


def with_holes(X: Any, mask: Any) -> np.ndarray:
    """Return rows or images with the cells missing (NaN) that a mask hides, in a copy.

    Parameters
    ----------
    X
        Array, tensor or list of rows (n, F) or of images (n, H, W) or (n, H, W, C).
    mask
        Booleans, True where hidden: of the shape of X, or one that broadcasts to it, such as (H, W) for all images; of
        images with channels also (n, H, W) or (H, W), for all channels.

    Raises
    ------
    ValueError
        If X is no array, or the mask holds no booleans or has no such shape.

    Examples
    --------
    >>> with_holes(np.ones((2, 3)), np.array([True, False, False])).tolist()
    [[nan, 1.0, 1.0], [nan, 1.0, 1.0]]
    """
    rows = dense_array(X)
    hidden = np.asarray(array_of(mask))
    if hidden.dtype != bool:
        raise ValueError(
            f"mask must hold booleans, True where a cell is hidden; got {hidden.dtype}: give mask.astype(bool)"
        )
    return np.where(broadcast(hidden, rows.shape), np.nan, rows).astype(type_with_nan(rows.dtype), copy=False)


def dense_array(X: Any) -> np.ndarray:
    """Return rows or images in memory as an array; a `ValueError` for frames, sparse rows and sources."""
    rows = X if frames.is_frame(X) else array_of_images(X) if dimensions(X) > 2 else array_of(X)
    if not isinstance(rows, np.ndarray) or rows.ndim < 2:
        kind = type(X).__name__
        raise ValueError(
            f"holes are filled in arrays, (n, F), (n, H, W) or (n, H, W, C), and X is a {kind}: give an array; of "
            "frames, leave cells missing, and take isthmus.Imputer to fill them"
        )
    return rows


def broadcast(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask for every cell of rows of a shape; a `ValueError` names both shapes."""
    if len(shape) == 4 and mask.shape in (shape[:3], shape[1:3]):
        mask = mask[..., None]
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(
            f"mask must have the shape {shape} of X, or one that broadcasts to it, such as {shape[1:]} for one mask of "
            f"all rows; got {mask.shape}"
        ) from None


def type_with_nan(dtype: np.dtype) -> np.dtype:
    """Return the number type that holds all values of a type, and NaN."""
    if dtype.kind in "fO":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= SMALL else np.float64)


def missing(rows: np.ndarray) -> np.ndarray:
    """Return which cells are missing, of the shape of the rows."""
    if rows.dtype.kind == "O":
        return np.vectorize(is_gap, otypes=[bool])(rows)
    return np.isnan(rows) if rows.dtype.kind == "f" else np.zeros(rows.shape, dtype=bool)


def filled(X: Any, holed: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return X with the values of `found` where `holed` has missing cells, and every other cell as it was.

    The number type is that of X: values between whole numbers are rounded, and those beyond its ends are at the end.

    Examples
    --------
    >>> filled(np.array([[7, 1]], dtype=np.uint8), np.array([[7, np.nan]]), np.array([[5.0, 300.0]]))
    array([[  7, 255]], dtype=uint8)
    """
    rows = np.array(dense_array(X))
    holes = missing(holed)
    values = found.reshape(rows.shape)[holes]
    if rows.dtype.kind in "iu":
        ends = np.iinfo(rows.dtype)
        values = values.round().clip(ends.min, ends.max)
    elif rows.dtype.kind == "b":
        values = values >= 0.5
    rows[holes] = values.astype(rows.dtype)
    return rows
