"""What a user may give in the place of an array: paths, Parquet, functions that bring batches, arrays on disk."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from isthmus.data.batches import ReiterableBatches
from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.parquet import ParquetTable, arrow, parquet_paths, refuse_absence

Check = Callable[[np.ndarray, int], None]


class Source(Protocol):
    """Rows that are read a block at a time."""

    names: list[str] | None
    """Of the columns, where they have any."""
    convert: Any
    """What makes numbers of a piece of it; the source's own way, or that of a table of columns."""

    @property
    def plain(self) -> bool:
        """Whether all columns are numbers without gaps, as far as is known without a pass."""
        ...

    def frames(self) -> Iterator[Any]:
        """Pass over all pieces, not yet numbers."""
        ...

    def read(self, i: int) -> np.ndarray:
        """Return a piece as numbers."""
        ...

    def blocks(self) -> Iterator[np.ndarray]:
        """Pass over all rows, in blocks (b, F)."""
        ...

    def table(self, check: Check) -> ChunkedTable:
        """Return the rows as a table to train on; `check` is shown every block, and where it begins."""
        ...


class ArrayOnDisk:
    """A two-dimensional array-like (h5py, zarr), read in blocks of rows that follow its own chunks.

    Parameters
    ----------
    array
        With `shape`, `dtype` and ``array[start:stop]``.
    """

    names: list[str] | None = None
    plain = True

    def __init__(self, array: Any) -> None:
        self.array = array
        self.convert: Callable[[np.ndarray], np.ndarray] = lambda block: block
        shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        if len(shape) != 2:
            raise ValueError(f"X has the shape {shape}; two dimensions are needed, (rows, columns)")
        if self.dtype.kind not in "biuf":
            raise ValueError(f"X holds {self.dtype} values; numbers are needed: convert them first")
        rows = max(1, PIECE_BYTES // max(1, shape[1] * self.dtype.itemsize))
        chunk = chunk_rows(array)
        step = max(1, rows // chunk) * chunk
        self.features = shape[1]
        self.edges = [*range(0, shape[0], step), shape[0]]

    def read(self, i: int) -> np.ndarray:
        """Return a block of rows, (b, F)."""
        return self.convert(self.block(i))

    def block(self, i: int) -> np.ndarray:
        """Return a block of rows as they are."""
        return np.asarray(self.array[self.edges[i] : self.edges[i + 1]])

    def frames(self) -> Iterator[np.ndarray]:
        """Pass over all blocks in their order, as they are."""
        return map(self.block, range(len(self.edges) - 1))

    def blocks(self) -> Iterator[np.ndarray]:
        """Pass over all blocks in their order."""
        return map(self.read, range(len(self.edges) - 1))

    def table(self, check: Check) -> ChunkedTable:
        """Return the rows as a table to train on."""
        lengths = np.diff(self.edges).tolist()
        return ChunkedTable(lengths, self.read, self.features, self.dtype, check=check)


def chunk_rows(array: Any) -> int:
    """Return how many rows an array keeps together on disk; 1 if it does not say."""
    for name in ("shards", "chunks"):  # zarr reads a shard's chunks from one file
        sizes = getattr(array, name, None)
        if sizes:
            first = sizes[0]
            return max(1, int(first[0] if isinstance(first, tuple) else first))
    return 1


def opened(X: Any, columns: Sequence[str] | None = None) -> Source | np.ndarray | None:
    """Return what reads X: a source; an array, memory-mapped, for a path of .npy; None for what is in memory.

    Parameters
    ----------
    X
        A path of a .npy or Parquet file or of a folder of Parquet files; a ``pyarrow.dataset.Dataset`` or
        ``pyarrow.parquet.ParquetFile``; a function without arguments that returns an iterator of batches; an array-like
        with `shape` and `__getitem__` that is not in memory.
    columns
        Names of the columns to read, where they have any; None reads all.

    Raises
    ------
    ValueError
        For a path of anything else, an iterator that can be passed over once only, and files that cannot be read.
    FileNotFoundError
        If there is nothing at the path.
    """
    if isinstance(X, str | Path):
        return at_path(Path(X), columns)
    root = type(X).__module__.split(".")[0]
    if root == "pyarrow":
        return from_arrow(X, columns)
    if hasattr(X, "__next__"):
        raise ValueError(
            "X is an iterator, which can be passed over once only; give a function that returns a new one each time, "
            "such as X=lambda: read_batches()"
        )
    if on_disk(X):
        return ArrayOnDisk(X)
    if brings_batches(X):
        return ReiterableBatches(X, columns)
    return None


def in_blocks(X: Any) -> bool:
    """Whether `opened` would return a source; nothing is opened."""
    if isinstance(X, str | Path):
        return Path(X).suffix != ".npy"
    if type(X).__module__.split(".")[0] == "pyarrow":
        return isinstance(X, arrow().parquet.ParquetFile | arrow().dataset.Dataset)
    return on_disk(X) or brings_batches(X)


def brings_batches(X: Any) -> bool:
    """Whether X is a function."""
    return callable(X) and not hasattr(X, "__array__")


def on_disk(X: Any) -> bool:
    """Whether X is an array-like that is better read in blocks than as a whole."""
    if not (hasattr(X, "shape") and hasattr(X, "dtype") and hasattr(type(X), "__getitem__")):
        return False
    # Its type is asked: a frame may have a column called "chunks".
    return hasattr(type(X), "chunks") or not any(hasattr(X, name) for name in ("__array__", "__dlpack__", "tocsr"))


def at_path(path: Path, columns: Sequence[str] | None) -> Source | np.ndarray:
    """Open what is at a path."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}; give the path of a .npy or Parquet file or folder")
    if path.suffix == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(
                f"the file {path} cannot be read: it is truncated, or holds no plain array ({error}); write it again "
                "with numpy.save"
            ) from error
    if path.is_file() and path.suffix not in (".parquet", ".pq"):
        raise ValueError(f"the file {path} is none that is read here: a .npy or a .parquet file or a folder is needed")
    return ParquetTable([(str, name) for name in parquet_paths(path)], f"the folder {path}", columns)


def from_arrow(X: Any, columns: Sequence[str] | None) -> Source | None:
    """Open a data set or a Parquet file of pyarrow's; None for what is in memory."""
    pa = arrow()
    if isinstance(X, pa.parquet.ParquetFile):
        return ParquetTable([(lambda _: X, "given")], "the file", columns)
    if isinstance(X, pa.RecordBatchReader):
        raise ValueError(
            "X is a RecordBatchReader, which can be passed over once only; give a function that returns a new one each "
            "time, or X.read_all() where that fits into memory"
        )
    if isinstance(X, pa.RecordBatch):
        raise ValueError("X is a RecordBatch; give pyarrow.Table.from_batches([X])")
    if not isinstance(X, pa.dataset.Dataset):
        return None
    plain = isinstance(X, pa.dataset.FileSystemDataset) and not getattr(X, "_scan_options", None)
    if plain and isinstance(X.format, pa.dataset.ParquetFileFormat):
        return ParquetTable([(X.filesystem.open_input_file, name) for name in X.files], "the data set", columns)
    refuse_absence(X.schema, "the data set", columns)
    return ReiterableBatches(lambda: X.to_batches(columns=None if columns is None else list(columns)), columns)
