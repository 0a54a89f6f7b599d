"""The one place that asks what X is: array, list, frame, sparse matrix, path, or a source of batches.

`learn_table` learns the columns of X, `read_table` checks X against them, `read_pieces` does so a piece at a time, and
`restore` turns rows of numbers into the kind of table that X was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from numpy.typing import ArrayLike

from isthmus.data import arrow_tables, batches, disk_arrays, frames, parquet  # noqa: F401  sources register themselves
from isthmus.data.arrays import takes_columns
from isthmus.data.chunks import PIECE_BYTES
from isthmus.data.dense import DenseTable
from isthmus.data.finite import refuse_non_finite
from isthmus.data.images import flattened, refuse_one_image, refuse_other_shape
from isthmus.data.reading_columns import ColumnKinds, known_numbers, learn_columns, numbers_alone, take_apart
from isthmus.data.reading_numbers import any_array, learn_numbers, read_numbers, refuse_width, rows_of_list
from isthmus.data.reading_sources import known_source, learn_source, pieces_of_source, plain_source
from isthmus.data.schema import TableSchema
from isthmus.data.sources import memory_mapped, open_source
from isthmus.data.table import Table


def learn_table(
    X: object,
    *,
    caller: str,
    columns: ColumnKinds = None,
    obstacle: str = "",
    least_rows: int = 1,
    sample_weight: ArrayLike | None = None,
) -> tuple[Table, TableSchema]:
    """Read X and learn its columns.

    Parameters
    ----------
    X
        Array, list of rows, frame, sparse matrix, or anything that a registered source reads.
    caller
        Name of the estimator, for messages.
    columns
        What the user says of columns.
    obstacle
        What keeps the estimator from tables whose columns are of several kinds or have gaps; "" if nothing does.
    least_rows
        Rows that are needed.
    sample_weight
        (n,) weights; rows of weight 0 do not influence what columns are taken for.

    Returns
    -------
    (Table, TableSchema)

    Raises
    ------
    ValueError
        If X is of an unknown kind, has too few rows, or holds values that cannot be learned from; columns are named.
    """
    X = memory_mapped(X)
    source = open_source(X)
    if source is None:
        X, row_shape = flattened(X)
        table, schema = learn_in_memory(X, caller, columns, obstacle, least_rows, sample_weight)
        return table, replace(schema, row_shape=row_shape)
    if columns is not None or not source.plain:
        streamed, schema = learn_source(source, caller, columns, obstacle, least_rows)
    else:
        streamed = plain_source(source, caller, least_rows)
        schema = TableSchema(streamed.shape[1], None if source.names is None else tuple(source.names))
    return streamed, replace(schema, row_shape=source.row_shape)


def read_table(X: object, schema: TableSchema, *, caller: str, least_rows: int = 1, in_use: bool = True) -> Table:
    """Read X and check it against the columns that were learned.

    The columns of a frame may come in another order. In use, cells may be missing (NaN) in columns of numbers that had
    no gaps, and no finite number is too large; rows to train on are refused for either (``in_use=False``).

    Raises
    ------
    ValueError
        If columns are missing, new, or hold other types of values; they are named.
    """
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    if source is None:
        return read_in_memory(X, schema, caller, least_rows, in_use=in_use)
    if schema.columns is not None:
        table = known_source(source, schema, caller, least_rows)
    else:
        table = plain_source(source, caller, least_rows, in_use=in_use)
        refuse_width(table.shape[1], schema, caller)
    refuse_other_shape(source.row_shape, schema, caller)
    return table


def read_pieces(X: object, schema: TableSchema, *, caller: str, cut: bool = False) -> Iterator[Table]:
    """Read X and check it, a source one piece at a time; what is in memory comes in one piece.

    With `cut`, rows in memory also come in pieces of some MiB, for results that are written as they come.
    """
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    if source is not None:
        yield from pieces_of_source(source, schema, caller)
        return
    table = read_in_memory(X, schema, caller)
    if not cut:
        yield table
        return
    size = max(1, PIECE_BYTES // max(1, table.shape[1] * table.dtype.itemsize))
    for start in range(0, len(table), size):
        yield table.part(slice(start, start + size))


def read_batch(batch: object, names: Sequence[str], schema: TableSchema, *, caller: str) -> Table:
    """Read the columns of these names of a record batch, and check them."""
    if schema.columns is not None:
        return DenseTable(known_numbers(arrow_tables.as_frame(batch, names), schema, caller))
    rows = arrow_tables.numbers(batch, names, gaps=True)
    refuse_width(rows.shape[1], schema, caller)
    refuse_non_finite(rows, schema.names, start=0, in_use=True)
    return DenseTable(rows)


def learn_in_memory(
    X: object, caller: str, columns: ColumnKinds, obstacle: str, least_rows: int, sample_weight: ArrayLike | None
) -> tuple[Table, TableSchema]:
    """Read rows in memory and learn their columns."""
    if not frames.is_frame(X):
        X = rows_of_list(X)
        if not takes_columns(X, columns):
            return learn_numbers(X, caller, least_rows)
        X = any_array(X)
    schema, cells = take_apart(X)
    if columns is None and numbers_alone(schema, cells):
        return learn_numbers(X, caller, least_rows, schema)
    return learn_columns(X, schema, cells, columns, obstacle, least_rows, sample_weight)


def read_in_memory(X: object, schema: TableSchema, caller: str, least_rows: int = 1, *, in_use: bool = True) -> Table:
    """Read rows in memory and check them against the columns that were learned."""
    refuse_one_image(X, schema)
    X, row_shape = flattened(X)
    refuse_other_shape(row_shape, schema, caller)
    if schema.columns is not None:
        return DenseTable(known_numbers(X, schema, caller))
    return read_numbers(X, schema, caller, least_rows, in_use=in_use)
