"""Parquet, of any size, and Arrow's own files (Feather): tables whose columns have types already."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.data.arrow_tables import arrow, column_names
from isthmus.data.files.compression import broken
from isthmus.data.files.dialects import refuse_twice
from isthmus.data.files.places import Place
from isthmus.data.files.registry import Found, Wishes, reads, writes
from isthmus.data.files.roles import Split
from isthmus.data.files.spilling import Collected, Collector
from isthmus.data.parquet import ParquetGroups, parquet_paths
from isthmus.data.sources import data_source


@dataclass(frozen=True)
class ParquetColumns:
    """Some columns of Parquet files, which are read row group by row group.

    Parameters
    ----------
    paths
        Of the files, in their order.
    columns
        Names of the columns.
    shown
        What messages call the files.
    """

    paths: tuple[str, ...]
    columns: tuple[str, ...]
    shown: str


@data_source
class ParquetColumnsSource(ParquetGroups):
    """Reads `ParquetColumns` a row group at a time, as all estimators do."""

    def __init__(self, X: ParquetColumns, columns: Sequence[str] | None = None) -> None:
        super().__init__([(str, path) for path in X.paths], X.shown, X.columns if columns is None else columns)

    @staticmethod
    def opens(X: object) -> bool:
        """Whether X is `ParquetColumns`."""
        return isinstance(X, ParquetColumns)


def paths_of(place: Place) -> list[str]:
    """Return the Parquet files at a path, in a folder, or that a pattern stands for.

    Raises
    ------
    ValueError
        If a folder holds none; what it holds instead is told.
    """
    if place.is_pattern:
        return [str(path) for path in place.matches()]
    paths = parquet_paths(place.path)
    if not paths:
        there = sorted(entry.name for entry in place.path.iterdir())
        holds = f"holds {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}" if there else "is empty"
        raise ValueError(
            f"the folder {place.path} holds no Parquet file; it {holds}: give one of its files, or a folder with files "
            "that end in .parquet"
        )
    return paths


@reads("parquet", (".parquet", ".pq"), "Parquet: a file, a folder, or a pattern of paths")
def read_parquet(place: Place, wishes: Wishes) -> Found:
    """Read Parquet into memory if it is small enough; else leave it to be read row group by row group."""
    paths = paths_of(place)
    source = ParquetGroups(
        [(str, path) for path in paths], f"the {'file' if len(paths) == 1 else 'folder'} {place.shown}"
    )
    names = column_names(source.schema)
    refuse_twice(names, place.shown)
    split = wishes.roles.split(names, place.shown)
    rows = sum(source.lengths)
    if not rows:
        raise ValueError(f"{place.shown} has no rows; write it with one at least")
    files = f"Parquet, {len(paths)} files" if len(paths) > 1 else "Parquet"
    if estimated_bytes(source, split.data) <= wishes.limit:
        collector = Collector(split, 1 << 62, wishes.folder)
        for piece in source_pieces(source, split.needed):
            collector.add(piece)
        return Found(collector.finish(), [files])
    carried = Collector(Split((), split.ids, split.target), 1 << 62, wishes.folder)
    for piece in source_pieces(source, carried.carried_names) if carried.carried_names else []:
        carried.add(piece)
    ids, target = carried.carried_along(on_disk=False)
    data = ParquetColumns(tuple(paths), split.data, source.what)
    return Found(Collected(data, ids, target, rows, streamed=True), [files])


def source_pieces(source: ParquetGroups, needed: Sequence[str]) -> Iterator[Any]:
    """Yield the row groups of Parquet files, with columns of several types of text or of nothing made alike."""
    schema = arrow().schema([source.schema.field(name) for name in needed])
    chosen, source.columns = source.columns, list(needed)
    try:
        for piece in source.frames():
            yield piece.select(list(needed)).cast(schema)
    finally:
        source.columns = chosen


def estimated_bytes(source: ParquetGroups, names: Sequence[str]) -> int:
    """Return about how many bytes the columns take in memory."""
    total = 0
    for number, group in source.groups:
        described = source.file(number).metadata.row_group(group)
        columns = [described.column(place) for place in range(described.num_columns)]
        sizes = [one.total_uncompressed_size for one in columns if one.path_in_schema.split(".")[0] in names]
        total += max(sum(sizes), 8 * described.num_rows * len(names))
    return total


@reads("arrow", (".feather", ".arrow", ".ipc", ".arrows"), "Arrow: a file or a stream, also called Feather")
def read_arrow(place: Place, wishes: Wishes) -> Found:
    """Read a file or a stream of Arrow's, batch by batch."""
    pa = arrow()
    try:
        with pa.memory_map(str(place.path)) as file:
            batches = record_batches(file)
            schema, first = next(batches)
            names = column_names(schema)
            refuse_twice(names, place.shown)
            split = wishes.roles.split(names, place.shown)
            collector = Collector(split, wishes.limit, wishes.folder)
            if first is not None:
                collector.add(first.select(list(split.needed)))
            for _, batch in batches:
                collector.add(batch.select(list(split.needed)))
            if not collector.rows:
                raise ValueError(f"{place.shown} has no rows; write it with one at least")
            return Found(collector.finish(), ["Arrow"])
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(broken(place.shown, error)) from error


def record_batches(file: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the schema and the batches of a file or a stream of Arrow's, as tables; None for a file without any."""
    pa = arrow()
    head = file.read(6)
    file.seek(0)
    if head[:4] == b"FEA1":
        import pyarrow.feather

        table = pyarrow.feather.read_table(file)
        yield table.schema, table
        return
    reader = pa.ipc.open_file(file) if head == b"ARROW1" else pa.ipc.open_stream(file)
    count = reader.num_record_batches if head == b"ARROW1" else -1
    batches = (reader.get_batch(place) for place in range(count)) if count >= 0 else iter(reader)
    empty = True
    for batch in batches:
        empty = False
        yield reader.schema, pa.Table.from_batches([batch])
    if empty:
        yield reader.schema, None


@writes("parquet")
def write_parquet(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table to a Parquet file."""
    pa = arrow()
    writer = None
    try:
        for piece in pieces:
            writer = writer or pa.parquet.ParquetWriter(file, piece.schema)
            writer.write_table(piece.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


@writes("arrow")
def write_arrow(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table to a file of Arrow's (Feather)."""
    pa = arrow()
    writer = schema = None
    try:
        for piece in pieces:
            if writer is None:
                schema = piece.schema
                writer = pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))
            writer.write_table(piece.cast(schema))
    finally:
        if writer is not None:
            writer.close()
