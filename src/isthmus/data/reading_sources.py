"""Reading sources: rows that come a piece at a time, learned and checked in one pass."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import _get_feature_names

from isthmus.data import arrow_tables, frames
from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.fields import Schema
from isthmus.data.finite import refuse_non_finite
from isthmus.data.images import refuse_other_shape
from isthmus.data.reading_columns import ColumnKinds, in_order, kinds_by_name, known_numbers, learned, take_apart
from isthmus.data.reading_numbers import any_array, refuse_width, rows_of_list
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import Source
from isthmus.data.survey import Survey
from isthmus.data.table import Table


def plain_source(source: Source, caller: str, least_rows: int, *, in_use: bool = False) -> ChunkedTable:
    """Return a source of numbers alone as a table; its values are checked when they are first read."""
    table = source.table(lambda block, start: refuse_non_finite(block, source.names, start, in_use=in_use))
    rows, features = table.shape
    if rows < least_rows or features < 1:
        raise ValueError(
            f"X has {rows} rows and {features} columns; at least {least_rows} and 1 are needed by {caller}"
        )
    return table


def learn_source(
    source: Source, caller: str, columns: ColumnKinds, obstacle: str, least_rows: int
) -> tuple[Table, TableSchema]:
    """Learn the columns of several kinds of a source, in one pass."""
    survey: Survey | None = None
    backend, fields_of_first, names = ARRAY, [], None
    lengths: list[int] = []
    for piece in source.frames():
        piece = piece if frames.is_frame(piece) else any_array(rows_of_list(piece))
        schema, cells = take_apart(piece)
        if survey is None:
            backend, survey = schema.backend, Survey(kinds_by_name(columns, schema))
            fields_of_first, names = [field.name for field in schema.fields], _get_feature_names(piece)
        fields, cells = in_order(schema, cells, fields_of_first, "the first batch")
        survey.look(fields, cells)
        lengths.append(len(cells[0].missing))
    if survey is None:
        raise ValueError("X has no rows; give some")
    found = learned(survey, obstacle)
    frame = Schema(backend, tuple(column.field for column in survey.found))
    known = TableSchema(len(found), None if names is None else tuple(names), frame, found)
    return measured_table(source, known, lengths, caller, least_rows), known


def known_source(source: Source, schema: TableSchema, caller: str, least_rows: int) -> ChunkedTable:
    """Check a source against the columns of `fit`, in one pass; return it as a table."""
    lengths = [len(known_numbers(piece, schema, caller)) for piece in source.frames()]
    return measured_table(source, schema, lengths, caller, least_rows)


def measured_table(
    source: Source, schema: TableSchema, lengths: list[int], caller: str, least_rows: int
) -> ChunkedTable:
    """Return a source whose pieces have these lengths as a table of numbers."""
    if sum(lengths) < least_rows:
        raise ValueError(f"X has {sum(lengths)} rows; at least {least_rows} are needed by {caller}")
    source.convert = lambda piece: known_numbers(piece, schema, caller)
    source.measured(lengths)
    return ChunkedTable(lengths, source.read, schema.n_numbers, np.dtype(np.float64), in_order=source.in_order)


def pieces_of_source(source: Source, schema: TableSchema, caller: str) -> Iterator[Table]:
    """Yield the rows of a source as checked tables of some MiB."""
    start = 0
    if schema.columns is not None:
        source.convert = lambda piece: known_numbers(piece, schema, caller)
    elif schema.names is not None:
        source.convert = lambda piece: numbers_with_gaps(piece, schema)
    for block in gathered(source.blocks()):
        refuse_other_shape(source.row_shape, schema, caller)
        if schema.columns is None:
            refuse_width(block.shape[1], schema, caller)
            refuse_non_finite(block, schema.names, start, in_use=True)
        start += len(block)
        yield DenseTable(block)
    if not start:
        raise ValueError(f"X has no rows, and {caller} needs one at least")


def numbers_with_gaps(piece: Any, schema: TableSchema) -> np.ndarray:
    """Return a piece of a source, a table of Arrow's or an array, as numbers (b, F), NaN where a cell is missing."""
    if frames.is_frame(piece):
        assert schema.names is not None, "the columns of frames have names"
        return arrow_tables.numbers(piece, schema.names, gaps=True)
    return any_array(piece)


def gathered(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Concatenate small blocks, up to some MiB."""
    small: list[np.ndarray] = []
    for block in blocks:
        small.append(block)
        if sum(part.nbytes for part in small) >= PIECE_BYTES:
            yield np.concatenate(small) if len(small) > 1 else small[0]
            small = []
    if small:
        yield np.concatenate(small)
