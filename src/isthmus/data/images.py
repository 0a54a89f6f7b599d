"""Images as arrays, (n, height, width) or (n, height, width, channels): rows of numbers that remember their shape.

Everywhere else in the library a row is flat, its pixels in memory order.
"""

import math
from typing import Any, TypeAlias

import numpy as np

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.schema import TableSchema

RowShape: TypeAlias = tuple[int, ...]
"""(height, width) or (height, width, channels) of every row."""
MOST_CHANNELS = 4
"""Most channels of an ordinary image: red, green, blue and transparency."""


def flattened(X: Any) -> tuple[Any, RowShape | None]:
    """Return images as rows (n, F) and their shape; anything else as it is and None.

    Parameters
    ----------
    X
        Whatever is in memory. Images are arrays and tensors of three or four dimensions, and lists of arrays of two or
        three.

    Raises
    ------
    ValueError
        If the images of a list have different shapes, channels come first, or there are more than four dimensions.

    Examples
    --------
    >>> rows, shape = flattened(np.zeros((5, 4, 3)))
    >>> rows.shape, shape
    ((5, 12), (4, 3))
    """
    if dimensions(X) < 3:
        return X, None
    array = array_of_images(X)
    shape = checked_shape(array.shape)
    return array.reshape(len(array), math.prod(array.shape[1:])), shape


def dimensions(X: Any) -> int:
    """Return how many dimensions an array, a tensor, or a list of them has; 0 for anything else."""
    if isinstance(X, list | tuple):
        return 1 + dimensions(X[0]) if len(X) and not frames.is_frame(X[0]) else 1
    found = getattr(X, "ndim", 0)
    return found if isinstance(found, int) else 0


def array_of_images(X: Any) -> np.ndarray:
    """Return images as one array.

    Raises
    ------
    ValueError
        If the images of a list have different shapes.
    """
    if not isinstance(X, list | tuple):
        return np.asarray(array_of(X))
    if not dimensions(X[0]):
        return np.asarray(X)
    images = [array_of_images(image) for image in X]
    shapes = list(dict.fromkeys(image.shape for image in images))
    if len(shapes) > 1:
        raise ValueError(
            f"the images of X have different shapes, such as {shapes[0]} and {shapes[1]}: bring them to one"
        )
    return np.stack(images)


def checked_shape(shape: tuple[int, ...]) -> RowShape | None:
    """Return the shape of each row of an array of this shape, (n, ...); None if rows are flat.

    Raises
    ------
    ValueError
        If channels come first, or there are more than four dimensions.
    """
    if len(shape) < 3:
        return None
    flat = "X.reshape(len(X), -1)"
    if len(shape) > 4:
        raise ValueError(
            f"X has the shape {shape}; images are (n, height, width) or (n, height, width, channels): give flat rows, "
            f"{flat}"
        )
    if len(shape) == 4 and shape[1] <= MOST_CHANNELS < shape[3]:
        raise ValueError(
            f"X has the shape {shape}, with channels first as it seems; images are (n, height, width, channels): give "
            f"numpy.moveaxis(X, 1, -1), or flat rows, {flat}"
        )
    return tuple(map(int, shape[1:]))


def refuse_other_shape(shape: RowShape | None, schema: TableSchema, caller: str) -> None:
    """Raise a `ValueError` if images have another shape than those of `fit`; flat rows are checked by their width."""
    if shape is None or shape == schema.row_shape:
        return
    known = f"images of the shape {schema.row_shape}"
    mend = "bring the images to that shape"
    if schema.row_shape is None:
        known = f"flat rows of {schema.n_features} numbers"
        mend = "give X.reshape(len(X), -1)" if math.prod(shape) == schema.n_features else "give such rows"
    raise ValueError(f"X holds images of the shape {shape}, and {caller} was fitted on {known}: {mend}")


def refuse_one_image(X: Any, schema: TableSchema) -> None:
    """Raise a `ValueError` if X is one image where images are expected."""
    shape = schema.row_shape
    if shape is not None and getattr(X, "shape", None) == shape and shape[-1] != schema.n_features:
        raise ValueError(f"X is one image of the shape {shape}, and images (n, ...) are expected: give X[None]")


def in_shape(rows: np.ndarray, schema: TableSchema, like: object = None) -> np.ndarray:
    """Return rows (n, F) as images of the shape of `fit`, if it was given images; flat if `like` is flat."""
    if schema.row_shape is None or dimensions(like) == 2:
        return rows
    return rows.reshape(len(rows), *schema.row_shape)
