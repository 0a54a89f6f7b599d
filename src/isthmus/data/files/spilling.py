"""Rows that come piece by piece: kept in memory up to a limit, beyond it in a temporary file."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from isthmus.data.arrow_tables import arrow
from isthmus.data.files.roles import Split

GROUP_ROWS = 65_536
"""Rows of a row group of the temporary Parquet file."""


class TemporaryFolder:
    """A folder for temporary files, which is made when it is needed and removed with this object."""

    def __init__(self) -> None:
        self.made: Path | None = None
        self.remove: Callable[[], object] = lambda: None

    @property
    def path(self) -> Path:
        """The folder."""
        if self.made is None:
            self.made = Path(tempfile.mkdtemp(prefix="isthmus-"))
            self.remove = weakref.finalize(self, shutil.rmtree, self.made, True)
        return self.made

    def close(self) -> None:
        """Remove the folder."""
        self.remove()
        self.made = None


def memory_limit() -> int:
    """Return how many bytes of a table are kept in memory by default: an eighth of the machine's."""
    try:
        return max(1 << 28, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8)
    except (ValueError, OSError, AttributeError):  # not on this system
        return 1 << 30


class Collector:
    """Keeps the columns of a table by their role, as its pieces come.

    Parameters
    ----------
    split
        The roles.
    limit
        Bytes of rows that are kept in memory; more go to a temporary Parquet file.
    folder
        For temporary files.
    """

    def __init__(self, split: Split, limit: int, folder: TemporaryFolder) -> None:
        self.split = split
        self.limit = limit
        self.folder = folder
        self.pieces: list[Any] = []
        self.ids: list[Any] = []
        self.targets: list[Any] = []
        self.nbytes = self.rows = 0
        self.writer: Any = None
        self.ids_writer: Any = None

    def add(self, piece: Any) -> None:
        """Add the next rows, a table of Arrow's with at least the columns that have a role."""
        self.rows += piece.num_rows
        data = piece.select(list(self.split.data))
        ids = piece.select(list(self.split.ids))
        if self.split.target is not None:
            self.targets.append(piece.column(self.split.target))
        self.nbytes += data.nbytes + ids.nbytes
        self.pieces.append(data)
        self.ids.append(ids)
        if self.writer is not None or self.nbytes > self.limit:
            self.spill()

    def spill(self) -> None:
        """Write what is kept to temporary files, once it makes a row group."""
        pa = arrow()
        if self.writer is None:
            schema = pa.unify_schemas([piece.schema for piece in self.pieces])
            self.writer = pa.parquet.ParquetWriter(self.data_path, schema, compression="zstd")
            if self.split.ids:
                self.ids_writer = pa.ipc.new_file(str(self.ids_path), self.ids[0].schema)
        if sum(piece.num_rows for piece in self.pieces) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        if self.pieces:
            table = arrow().concat_tables(self.pieces).cast(self.writer.schema)
            self.writer.write_table(table, row_group_size=GROUP_ROWS)
            if self.ids_writer is not None:
                self.ids_writer.write_table(arrow().concat_tables(self.ids))
        self.pieces, self.ids = [], []

    @property
    def data_path(self) -> Path:
        """The temporary file of rows."""
        return self.folder.path / "rows.parquet"

    @property
    def ids_path(self) -> Path:
        """The temporary file of identifiers."""
        return self.folder.path / "ids.arrow"

    def discard(self) -> None:
        """Forget all rows."""
        self.close()
        self.pieces, self.ids, self.targets, self.nbytes, self.rows = [], [], [], 0, 0

    def close(self) -> None:
        """Close the temporary files."""
        for writer in (self.writer, self.ids_writer):
            if writer is not None:
                writer.close()
        self.writer = self.ids_writer = None

    def finish(self) -> "Collected":
        """Return what was collected."""
        pa = arrow()
        target = None if self.split.target is None else labels_of_pieces(self.targets)
        if self.writer is None:
            ids = pa.concat_tables(self.ids) if self.split.ids and self.ids else None
            data = pa.concat_tables(self.pieces) if self.pieces else None
            return Collected(data, ids, target, self.rows)
        self.flush()
        self.close()
        ids = None
        if self.split.ids:
            # Read from the disk as it is needed.
            ids = pa.ipc.open_file(pa.memory_map(str(self.ids_path))).read_all()
        return Collected(str(self.data_path), ids, target, self.rows, streamed=True)


class Collected:
    """The columns of a table by their role.

    Parameters
    ----------
    data
        A table of Arrow's, or the path of a temporary Parquet file; None without rows.
    ids
        A table of Arrow's with the columns that identify rows; None if there are none.
    target
        (n,) labels; None if there are none.
    rows
        How many.
    streamed
        Whether `data` is a file.
    """

    def __init__(self, data: Any, ids: Any, target: np.ndarray | None, rows: int, streamed: bool = False) -> None:
        self.data = data
        self.ids = ids
        self.target = target
        self.rows = rows
        self.streamed = streamed


def labels_of_pieces(pieces: list[Any]) -> np.ndarray:
    """Return pieces of a column as an array of labels, (n,): numbers, or objects with None where they are missing."""
    pa = arrow()
    chunks = [chunk for piece in pieces for chunk in (piece.chunks if isinstance(piece, pa.ChunkedArray) else [piece])]
    column = pa.chunked_array(chunks) if chunks else pa.chunked_array([pa.nulls(0)])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count and not pa.types.is_floating(column.type):
        return np.array(column.to_pylist(), dtype=object)
    found: np.ndarray = column.to_numpy()
    return found


class Types(Protocol):
    """The types of columns, decided over all rows."""

    def converted(self, block: Any) -> Any:
        """Return a block with the types known by now; None if earlier blocks had others."""

    def settled(self) -> bool:
        """Whether all blocks were converted alike; called after the last one."""


def collected(blocks: Callable[[], Iterable[Any]], types: Types, collector: Collector) -> Collected:
    """Read blocks until all of them have the types that the whole file has: in one pass, or in two."""
    for _ in range(4):
        complete = True
        for block in blocks():
            table = types.converted(block)
            complete = complete and table is not None
            if complete:
                collector.add(table)
            elif collector.rows:
                collector.discard()
        if types.settled() and complete:
            return collector.finish()
        collector.discard()
    raise AssertionError("types only widen, and so two passes settle them")


def pieces_of(data: Any, rows: int = GROUP_ROWS) -> Iterator[Any]:
    """Yield a table of Arrow's, in memory or in a Parquet file, in pieces of so many rows."""
    pa = arrow()
    if isinstance(data, str | Path):
        with pa.parquet.ParquetFile(data) as file:
            yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches(rows))
    else:
        yield from (data.slice(start, rows) for start in range(0, data.num_rows, rows))
