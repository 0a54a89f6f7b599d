"""`ArrayOnDisk`: arrays of h5py and zarr, read a block of rows at a time."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.images import checked_shape
from isthmus.data.sources import Check, Convert, data_source


class ArrayLike(Protocol):
    """An array that is sliced by rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, F)."""

    @property
    def dtype(self) -> np.dtype:
        """The number type."""

    def __getitem__(self, rows: slice) -> object:
        """Return rows, as something that numpy makes an array of."""


@data_source
class ArrayOnDisk:
    """An array-like (h5py, zarr) of rows or of images, read in blocks of rows that follow its own chunks.

    Parameters
    ----------
    X
        With `shape`, `dtype` and ``X[start:stop]``.
    columns
        Ignored: such arrays have no column names.

    Raises
    ------
    ValueError
        If X has one dimension, is no array of images as `isthmus.data.images` takes them, or holds no numbers.
    """

    names: list[str] | None = None
    plain = True
    in_order = False

    def __init__(self, X: ArrayLike, columns: Sequence[str] | None = None) -> None:
        self.array = X
        self.convert: Convert | None = None
        shape, self.dtype = tuple(X.shape), np.dtype(X.dtype)
        if len(shape) < 2:
            raise ValueError(f"X has the shape {shape}; two dimensions are needed, (rows, columns)")
        self.row_shape = checked_shape(shape)
        if self.dtype.kind not in "biuf":
            raise ValueError(f"X holds {self.dtype} values; numbers are needed: convert them first")
        self.features = math.prod(shape[1:])
        rows = max(1, PIECE_BYTES // max(1, self.features * self.dtype.itemsize))
        chunk = chunk_rows(X)
        step = max(1, rows // chunk) * chunk
        self.edges = [*range(0, shape[0], step), shape[0]]

    @staticmethod
    def opens(X: object) -> bool:
        """Whether X is an array-like that is better read in blocks than as a whole."""
        if not (hasattr(X, "shape") and hasattr(X, "dtype") and hasattr(type(X), "__getitem__")):
            return False
        # Its type is asked: a frame may have a column called "chunks".
        return hasattr(type(X), "chunks") or not any(hasattr(X, name) for name in ("__array__", "__dlpack__", "tocsr"))

    def read(self, i: int) -> np.ndarray:
        """Return a block of rows as numbers, (b, R)."""
        block = self.block(i)
        return block if self.convert is None else self.convert(block)

    def block(self, i: int) -> np.ndarray:
        """Return a block of rows as they are, (b, F)."""
        start, stop = self.edges[i], self.edges[i + 1]
        return np.asarray(self.array[start:stop]).reshape(stop - start, self.features)

    def first(self) -> np.ndarray | None:
        """Return the first rows; None if there are none."""
        return self.block(0) if self.array.shape[0] else None

    def frames(self) -> Iterator[np.ndarray]:
        """Yield all blocks as they are."""
        return map(self.block, range(len(self.edges) - 1))

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all blocks as numbers."""
        return map(self.read, range(len(self.edges) - 1))

    def table(self, check: Check) -> ChunkedTable:
        """Return the rows as a table to train on."""
        lengths = np.diff(self.edges).tolist()
        return ChunkedTable(lengths, self.read, self.features, self.dtype, check=check)

    def measured(self, lengths: list[int]) -> None:
        """Do nothing: lengths are known."""


def chunk_rows(array: ArrayLike) -> int:
    """Return how many rows an array keeps together on disk; 1 if it does not say."""
    for name in ("shards", "chunks"):  # zarr reads a shard's chunks from one file
        sizes = getattr(array, name, None)
        if sizes:
            first = sizes[0]
            return max(1, int(first[0] if isinstance(first, tuple) else first))
    return 1
