"""`Source`: rows that are read a piece at a time, and the registry of the kinds of sources there are.

A source is one class in one file, registered with `@data_source`; nothing else lists it. It says which objects it reads
(`opens`) and is made from such an object and the names of the columns to read.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from isthmus.data.chunks import ChunkedTable

Check = Callable[[np.ndarray, int], None]
"""Is called with a block of rows and the position of its first one; raises if a value is invalid."""
Piece = Any
"""What a source reads at a time: an array (b, F), or a frame of a library without types."""
Convert = Callable[[Piece], np.ndarray]
"""Turns a piece into numbers (b, R)."""


class Source(Protocol):
    """Rows that are read a piece at a time.

    Attributes
    ----------
    names : list of str or None
        Names of the columns, if they have any.
    convert : callable or None
        Turns a piece into numbers; None for the source's own way. Set for tables of several kinds of columns.
    row_shape : tuple of int or None
        Shape of each row, if rows are images, known once a piece was read; pieces are flat, (b, F), in any case.
    in_order : bool
        Whether pieces can only be read in their order; then their lengths must be given by `measured`.
    """

    names: list[str] | None
    convert: Convert | None
    row_shape: tuple[int, ...] | None
    in_order: bool

    @property
    def plain(self) -> bool:
        """Whether all columns are numbers without gaps, as far as is known without a pass."""

    def first(self) -> Piece | None:
        """Return the first piece as it comes, not converted; None if there is none."""

    def frames(self) -> Iterator[Piece]:
        """Yield all pieces as they are, not converted."""

    def read(self, i: int) -> np.ndarray:
        """Return a piece as numbers, (b, R)."""

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows as numbers, in blocks (b, R)."""

    def table(self, check: Check) -> ChunkedTable:
        """Return the rows as a table to train on; every block is checked when it is first read."""

    def measured(self, lengths: list[int]) -> None:
        """Take the number of rows of each piece, known from a first pass."""


class SourceClass(Protocol):
    """A class of sources, as it is registered."""

    def __call__(self, X: Any, columns: Sequence[str] | None = None) -> Source:
        """Open X; read the columns of these names in this order, or all."""

    @staticmethod
    def opens(X: object) -> bool:
        """Whether this class reads X. Opens nothing."""


SOURCES: list[SourceClass] = []
"""Every registered class; the one registered last is asked first, so that a user's own class comes before ours."""

Registered = TypeVar("Registered", bound=SourceClass)


def data_source(kind: Registered) -> Registered:
    """Register a class of sources.

    Examples
    --------
    >>> from isthmus.data.batches import ReiterableBatches
    >>> class Log:
    ...     lines = ["1 2", "3 4"]
    >>> @data_source
    ... class LogSource(ReiterableBatches):
    ...     def __init__(self, X, columns=None):
    ...         super().__init__(lambda: (np.array([line.split()], float) for line in X.lines), columns)
    ...     @staticmethod
    ...     def opens(X):
    ...         return isinstance(X, Log)
    >>> [block.tolist() for block in open_source(Log()).blocks()]
    [[[1.0, 2.0]], [[3.0, 4.0]]]
    >>> SOURCES.remove(LogSource)
    """
    SOURCES.insert(0, kind)
    return kind


def is_source(X: object) -> bool:
    """Whether a registered class reads X. Opens nothing."""
    return any(kind.opens(X) for kind in SOURCES)


def open_source(X: Any, columns: Sequence[str] | None = None) -> Source | None:
    """Open X with the first registered class that reads it.

    Parameters
    ----------
    X
        For the classes of this library: the path of a Parquet file or of a folder of them; a `pyarrow.dataset.Dataset`
        or `pyarrow.parquet.ParquetFile`; a function without arguments that returns an iterator of batches; an
        array-like with `shape` and `__getitem__` that is not in memory (h5py, zarr).
    columns
        Names of the columns to read, if they have any; None reads all.

    Returns
    -------
    Source or None
        None if no class reads X.

    Raises
    ------
    ValueError
        If X is the path of another kind of file, can be iterated only once, or cannot be read.
    FileNotFoundError
        If nothing is at the path.
    """
    for kind in SOURCES:
        if kind.opens(X):
            return kind(X, columns)
    if isinstance(X, str | Path):
        refuse_path(Path(X))
    if hasattr(X, "__next__"):
        raise ValueError(
            "X is an iterator, which can be read only once; give a function that returns a new one each time, such "
            "as X=lambda: read_batches()"
        )
    return None


def refuse_path(path: Path) -> None:
    """Raise an error that says why the path cannot be read."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}; give the path of a .npy or Parquet file or folder")
    raise ValueError(f"the file {path} is not of a kind that can be read: give a .npy or .parquet file, or a folder")


def memory_mapped(X: Any) -> Any:
    """Return the array of a .npy file, memory-mapped, for its path; anything else as it is.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated or holds no plain array.
    """
    if not isinstance(X, str | Path) or Path(X).suffix != ".npy":
        return X
    path = Path(X)
    if not path.exists():
        refuse_path(path)
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"the file {path} cannot be read: it is truncated, or holds no plain array ({error}); write it again with "
            "numpy.save"
        ) from error
