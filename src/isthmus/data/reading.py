"""The one place that asks what X is: array, list, frame, sparse matrix, path, or a source of batches.

`learn_table` learns the columns of X, `read_table` checks X against them, `read_pieces` does so a piece at a time, and
`restore` turns rows of numbers into the kind of table that X was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from isthmus.data import arrow_tables, batches, disk_arrays, frames, parquet  # noqa: F401  sources register themselves
from isthmus.data.arrays import may_be_numbered, rows_of, takes_columns
from isthmus.data.arrow_tables import unlabelled
from isthmus.data.chunks import PIECE_BYTES
from isthmus.data.containers import array_of
from isthmus.data.dense import DenseTable
from isthmus.data.finite import refuse_non_finite
from isthmus.data.images import flattened, refuse_one_image, refuse_other_shape
from isthmus.data.labels import labels_of
from isthmus.data.reading_columns import (
    ColumnKinds,
    kinds_by_name,
    known_numbers,
    learn_columns,
    numbered_columns,
    numbers_alone,
    take_apart,
    warn_of_numbered,
)
from isthmus.data.reading_numbers import any_array, learn_numbers, read_numbers, refuse_width
from isthmus.data.reading_sources import (
    Given,
    given_pieces_of_source,
    known_source,
    learn_source,
    numbered_in_source,
    pieces_of_source,
    plain_source,
)
from isthmus.data.schema import TableSchema
from isthmus.data.sources import Source, memory_mapped, open_source
from isthmus.data.table import Table
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.data.text_columns import typed


def learn_table(
    X: object,
    *,
    caller: str,
    columns: ColumnKinds = None,
    obstacle: str = "",
    least_rows: int = 1,
    sample_weight: ArrayLike | None = None,
    numbers: str | None = None,
) -> tuple[Table, TableSchema]:
    """Read X and learn its columns.

    A table of numbers alone is read as one array with one likelihood, unless a column only numbers the rows: this one
    is ignored, and the others are real.

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
    numbers
        The kind of columns of numbers of which the user says nothing; "measured": found by their values, but no counts;
        None: found by their values.

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
        table, schema = learn_in_memory(X, caller, columns, obstacle, least_rows, sample_weight, numbers)
        return table, replace(schema, row_shape=row_shape)
    streamed, schema = learn_rows_of_source(source, caller, columns, obstacle, least_rows, numbers)
    return streamed, replace(schema, row_shape=source.row_shape)


def learn_rows_of_source(
    source: Source, caller: str, columns: ColumnKinds, obstacle: str, least_rows: int, numbers: str | None
) -> tuple[Table, TableSchema]:
    """Read a source and learn its columns, as `learn_table` does."""
    if columns is not None or numbers is not None or not source.plain:
        return learn_source(source, caller, columns, obstacle, least_rows, numbers)
    numbered = numbered_in_source(source)
    if numbered and not obstacle:
        return learn_source(source, caller, None, "", least_rows, "real")
    if numbered:
        warn_of_numbered(numbered, obstacle)
    table = plain_source(source, caller, least_rows)
    return table, TableSchema(table.shape[1], None if source.names is None else tuple(source.names))


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
    yield from (table.part(rows) for rows in cut_into(table, cut))


def read_pieces_as_given(X: object, schema: TableSchema, *, caller: str, cut: bool = False) -> Iterator[Given]:
    """Read X as `read_pieces` does, and yield each piece as it came beside its table."""
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    if source is not None:
        yield from given_pieces_of_source(source, schema, caller)
        return
    table = read_in_memory(X, schema, caller)
    if not cut:
        yield Given(table, X, None)
        return
    labels = labels_of(X) if frames.is_frame(X) else None
    for rows in cut_into(table, cut):
        own = None if labels is None else labels.part(rows.start, rows.stop)
        yield Given(table.part(rows), rows_of(X, rows), own)


def cut_into(table: Table, cut: bool) -> Iterator[slice]:
    """Yield which rows make each piece: all, or, if they are to be cut, some MiB."""
    size = max(1, PIECE_BYTES // max(1, table.shape[1] * table.dtype.itemsize)) if cut else len(table)
    return (slice(start, start + size) for start in range(0, len(table), size))


def read_batch(batch: object, names: Sequence[str], schema: TableSchema, *, caller: str) -> Table:
    """Read the columns of these names of a record batch, and check them."""
    if schema.columns is not None:
        return DenseTable(known_numbers(arrow_tables.as_frame(batch, names), schema, caller))
    rows = arrow_tables.numbers(batch, names, gaps=True)
    refuse_width(rows.shape[1], schema, caller)
    refuse_non_finite(rows, schema.names, start=0, in_use=True)
    return DenseTable(rows)


def learn_in_memory(
    X: object,
    caller: str,
    columns: ColumnKinds,
    obstacle: str,
    least_rows: int,
    sample_weight: ArrayLike | None,
    numbers: str | None,
) -> tuple[Table, TableSchema]:
    """Read rows in memory and learn their columns."""
    framed = frames.is_frame(X)
    if framed:
        X = unlabelled(X)
    else:
        X = array_of(X)
        X = numbers_of_texts(X) if isinstance(X, np.ndarray) else X
        if numbers is None and not takes_columns(X, columns) and not may_be_numbered(X):
            return learn_numbers(X, caller, least_rows)
        X = any_array(X)
    schema, cells = take_apart(X)
    schema, cells = typed(schema, cells, kinds_by_name(columns, schema))
    if columns is not None or numbers is not None or not numbers_alone(schema, cells):
        return learn_columns(X, schema, cells, columns, obstacle, least_rows, sample_weight, numbers)
    numbered = numbered_columns(schema, cells, sample_weight, least_rows)
    if numbered and not obstacle:
        return learn_columns(X, schema, cells, None, "", least_rows, sample_weight, "real")
    if numbered:
        warn_of_numbered(numbered, obstacle)
    return learn_numbers(X, caller, least_rows, schema if framed else None)


def read_in_memory(X: object, schema: TableSchema, caller: str, least_rows: int = 1, *, in_use: bool = True) -> Table:
    """Read rows in memory and check them against the columns that were learned."""
    X = unlabelled(X)
    if frames.is_frame(X):
        frames.names_of(X)  # refuses what cannot be told apart
    refuse_one_image(X, schema)
    X, row_shape = flattened(X)
    refuse_other_shape(row_shape, schema, caller)
    if schema.columns is not None:
        return DenseTable(known_numbers(X, schema, caller))
    return read_numbers(X, schema, caller, least_rows, in_use=in_use)
