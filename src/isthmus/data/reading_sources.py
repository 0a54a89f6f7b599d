"""Reading sources: rows that come a piece at a time, learned and checked in one pass."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _get_feature_names

from isthmus.data import frames
from isthmus.data.arrow_tables import as_frame, column_names, is_batch, is_table, numbers, unlabelled
from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.fields import Cells, Field, Name, Schema
from isthmus.data.finite import refuse_non_finite
from isthmus.data.joining import are_alike, one_after_another
from isthmus.data.labels import Labels, labels_of
from isthmus.data.numbering import numbered_at_first
from isthmus.data.reading_columns import ColumnKinds, in_order, kinds_by_name, known_numbers, learned, take_apart
from isthmus.data.reading_numbers import any_array, refuse_width, rows_of_list
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import Piece, Source
from isthmus.data.survey import Survey
from isthmus.data.table import Table


def plain_source(source: Source, caller: str, least_rows: int) -> ChunkedTable:
    """Return a source of numbers alone as a table; its values are checked when they are first read."""
    table = source.table(lambda block, start: refuse_non_finite(block, source.names, start))
    rows, features = table.shape
    if rows < least_rows or features < 1:
        raise ValueError(
            f"X has {rows} rows and {features} columns; at least {least_rows} and 1 are needed by {caller}"
        )
    return table


def learn_source(
    source: Source,
    caller: str,
    columns: ColumnKinds,
    obstacle: str,
    least_rows: int,
    number_kind: str | None = None,
) -> tuple[Table, TableSchema]:
    """Learn the columns of several kinds of a source, in one pass."""
    survey: Survey | None = None
    backend, fields_of_first, names = ARRAY, [], None
    lengths: list[int] = []
    for piece in source.frames():
        piece = unlabelled(piece) if frames.is_frame(piece) else any_array(rows_of_list(piece))
        schema, cells = take_apart(piece)
        if survey is None:
            backend, survey = schema.backend, Survey(kinds_by_name(columns, schema), number_kind)
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


def numbered_in_source(source: Source) -> list[Name]:
    """Return the names of the columns of a source of numbers alone that only number the rows.

    Most sources have none by their first piece; otherwise all rows are looked at.
    """
    first = source.first()
    if first is None or not numbered_at_first([cells.values for cells in cells_of_piece(first)[1]]):
        return []
    survey = Survey({})
    for piece in source.frames():
        survey.look(*cells_of_piece(piece))
    return [survey.found[place].field.name for place in sorted(survey.numbered())]


def cells_of_piece(piece: Piece) -> tuple[tuple[Field, ...], list[Cells]]:
    """Return the fields and cells of a piece of a source."""
    if is_batch(piece):
        piece = as_frame(piece, column_names(piece.schema))
    schema, cells = take_apart(unlabelled(piece) if frames.is_frame(piece) else any_array(piece))
    return schema.fields, cells


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
    for block in gathered(source.blocks()):
        if schema.columns is None:
            refuse_width(block.shape[1], schema, caller)
            refuse_non_finite(block, schema.names, start)
        start += len(block)
        yield DenseTable(block)
    if not start:
        raise ValueError(f"X has no rows, and {caller} needs one at least")


class Given(NamedTuple):
    """Rows as a checked table, and as they came."""

    table: Table
    rows: Any
    """A frame or an array."""
    labels: Labels | None
    """The labels of the rows, where they are a part of a larger table; None if the rows have their own."""


def given_pieces_of_source(source: Source, schema: TableSchema, caller: str) -> Iterator[Given]:
    """Yield the rows of a source as checked tables of some MiB, and as they came."""
    start = 0
    for piece in gathered_pieces(source.frames(), 8 * schema.n_numbers):
        if schema.columns is not None:
            table = DenseTable(known_numbers(piece, schema, caller))
        else:
            block = numbers(piece, column_names(piece.schema)) if is_table(piece) else np.asarray(piece)
            refuse_width(block.shape[1], schema, caller)
            refuse_non_finite(block, schema.names, start)
            table = DenseTable(block)
        start += len(table)
        yield Given(table, piece, labels_of(piece) if frames.is_frame(piece) else None)
    if not start:
        raise ValueError(f"X has no rows, and {caller} needs one at least")


def gathered_pieces(pieces: Iterable[Piece], row_bytes: int) -> Iterator[Piece]:
    """Put small pieces of one kind together, up to some MiB; a row takes that many bytes."""
    small: list[Piece] = []
    for piece in pieces:
        if small and not are_alike(small[0], piece):
            yield one_after_another(small)
            small = []
        small.append(piece)
        if sum(map(len, small)) * row_bytes >= PIECE_BYTES:
            yield one_after_another(small)
            small = []
    if small:
        yield one_after_another(small)


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
