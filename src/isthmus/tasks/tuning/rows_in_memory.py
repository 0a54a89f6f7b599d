"""The rows of a search: in memory, in the form in which they were given, taken by their positions."""

from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.images import array_of_images, dimensions
from isthmus.data.sources import memory_mapped, open_source

MOST_ROWS = 1_000_000
"""Rows of a source at most that are brought into memory."""


def in_memory(X: object) -> Any:
    """Return rows in memory: a frame or a sparse matrix as it is, anything else as an array; a source is read.

    Raises
    ------
    ValueError
        If a source has more than a million rows.
    """
    X = memory_mapped(X)
    source = open_source(X)
    if source is not None:
        pieces, rows = [], 0
        for piece in source.frames():
            pieces.append(piece)
            rows += len(piece)
            if rows > MOST_ROWS:
                raise ValueError(
                    f"X has more than {MOST_ROWS:,} rows, and a search trains many models on all of them: give a "
                    "sample, and fit the best estimator to the whole"
                )
        return joined(pieces)
    if frames.is_frame(X):
        return X
    if scipy.sparse.issparse(X):
        return scipy.sparse.csr_array(X)
    return array_of_images(X) if dimensions(X) > 2 else array_of(X)


def joined(pieces: list[Any]) -> Any:
    """Return the pieces of a source as one frame or array."""
    if not pieces:
        raise ValueError("X has no rows; give some")
    if not frames.is_frame(pieces[0]):
        return np.concatenate([np.asarray(piece) for piece in pieces])
    narwhals = frames.narwhals()
    return narwhals.concat([narwhals.from_native(piece, eager_only=True) for piece in pieces]).to_native()


def row_count(X: Any) -> int:
    """Return the number of rows."""
    return int(X.shape[0])


def taken(X: Any, positions: np.ndarray) -> Any:
    """Return the rows at these positions, in the form in which they were given."""
    if not frames.is_frame(X):
        return X[positions]
    return frames.narwhals().from_native(X, eager_only=True)[positions.tolist()].to_native()
