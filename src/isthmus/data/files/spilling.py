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
        self.carried: list[Any] = []
        self.nbytes = self.rows = 0
        self.writer: Any = None
        self.carried_writer: Any = None

    def add(self, piece: Any) -> None:
        """Add the next rows, a table of Arrow's with at least the columns that have a role."""
        self.rows += piece.num_rows
        data, carried = piece.select(list(self.split.data)), piece.select(self.carried_names)
        self.nbytes += data.nbytes + carried.nbytes
        self.pieces.append(data)
        self.carried.append(carried)
        if self.writer is not None or self.nbytes > self.limit:
            self.spill()

    def spill(self) -> None:
        """Write what is kept to temporary files, once it makes a row group."""
        pa = arrow()
        if self.writer is None:
            schema = pa.unify_schemas([piece.schema for piece in self.pieces])
            self.writer = pa.parquet.ParquetWriter(self.data_path, schema, compression="zstd")
            if self.carried_names:
                self.carried_writer = pa.ipc.new_file(str(self.carried_path), self.carried[0].schema)
        if sum(piece.num_rows for piece in self.pieces) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        if self.pieces:
            table = arrow().concat_tables(self.pieces).cast(self.writer.schema)
            self.writer.write_table(table, row_group_size=GROUP_ROWS)
            if self.carried_writer is not None:
                self.carried_writer.write_table(arrow().concat_tables(self.carried))
        self.pieces, self.carried = [], []

    @property
    def data_path(self) -> Path:
        """The temporary file of rows."""
        return self.folder.path / "rows.parquet"

    @property
    def carried_path(self) -> Path:
        """The temporary file of identifiers and labels."""
        return self.folder.path / "carried.arrow"

    @property
    def carried_names(self) -> list[str]:
        """The columns that are carried along: identifiers and labels."""
        target = [] if self.split.target is None else [self.split.target]
        return list(dict.fromkeys([*self.split.ids, *target]))

    def discard(self) -> None:
        """Forget all rows."""
        self.close()
        self.pieces, self.carried, self.nbytes, self.rows = [], [], 0, 0

    def close(self) -> None:
        """Close the temporary files."""
        for writer in (self.writer, self.carried_writer):
            if writer is not None:
                writer.close()
        self.writer = self.carried_writer = None

    def finish(self) -> "Collected":
        """Return what was collected."""
        pa = arrow()
        streamed = self.writer is not None
        data: Any = str(self.data_path)
        if streamed:
            self.flush()
            self.close()
        elif self.split.data:
            data = pa.concat_tables(self.pieces) if self.pieces else None
        ids, target = self.carried_along(streamed)
        return Collected(data, ids, target, self.rows, streamed)

    def carried_along(self, on_disk: bool) -> tuple[Any, np.ndarray | None]:
        """Return identifiers and labels; what is on the disk is read from there as it is needed."""
        pa = arrow()
        if not self.carried_names or not self.rows:
            return None, None
        if on_disk:
            table = pa.ipc.open_file(pa.memory_map(str(self.carried_path))).read_all()
        else:
            table = pa.concat_tables(self.carried)
        ids = table.select(list(self.split.ids)) if self.split.ids else None
        return ids, None if self.split.target is None else labels_of(table.column(self.split.target))


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


def labels_of(column: Any) -> np.ndarray:
    """Return a column as an array of labels, (n,): numbers, or objects with None where they are missing."""
    types = arrow().types
    whole = (types.is_integer(column.type) or types.is_boolean(column.type)) and not column.null_count
    if whole or types.is_floating(column.type):
        numbers: np.ndarray = column.to_numpy()
        return numbers
    coded = column if types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    chunks = coded.chunks if isinstance(coded, arrow().ChunkedArray) else [coded]
    # Each label is one object, however many rows have it.
    parts = [np.array([*part.dictionary.to_pylist(), None], dtype=object)[codes_of(part)] for part in chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype=object)


def codes_of(part: Any) -> np.ndarray:
    """Return the codes of a column of categories, -1 where they are missing."""
    codes: np.ndarray = part.indices.fill_null(-1).to_numpy()
    return codes


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
