"""Reading sources: rows that come a piece at a time, learned and checked in one pass."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _get_feature_names

from isthmus.data import arrow_tables, frames
from isthmus.data.arrow_tables import as_frame, column_names, is_batch, unlabelled
from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.fields import Cells, Field, Form, Name, Schema
from isthmus.data.finite import refuse_non_finite
from isthmus.data.images import flattened, refuse_other_shape
from isthmus.data.joining import are_alike, one_after_another
from isthmus.data.labels import Labels, labels_of
from isthmus.data.reading_columns import ColumnKinds, in_order, kinds_by_name, known_numbers, learned, take_apart
from isthmus.data.reading_numbers import any_array, refuse_width
from isthmus.data.row_order import ordered_at_first
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import Piece, Source
from isthmus.data.survey import Survey
from isthmus.data.table import Table
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.data.text_columns import in_forms, text_counts, text_form

ROWS_FOR_FORMS = 100_000
"""At least this many rows of a source, if it has them, tell how its columns of text write numbers."""


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
    forms: list[Form | None] = []
    told: set[Name] = set()
    for schema, cells, found_names in taken_apart(source):
        if survey is None:
            kinds = kinds_by_name(columns, schema)
            backend, survey, names = schema.backend, Survey(kinds, number_kind), found_names
            fields_of_first = [field.name for field in schema.fields]
            forms = forms_of_source(source, schema, kinds)
        fields, cells = in_order(schema, cells, fields_of_first, "the first batch")
        fields, cells = in_forms(fields, cells, forms, told)
        survey.look(fields, cells)
        lengths.append(len(cells[0].missing))
    if survey is None:
        raise ValueError("X has no rows; give some")
    found = learned(survey, obstacle)
    frame = Schema(backend, tuple(column.field for column in survey.found))
    known = TableSchema(len(found), None if names is None else tuple(names), frame, found)
    return measured_table(source, known, lengths, caller, least_rows, told), known


def taken_apart(source: Source) -> Iterator[tuple[Schema, list[Cells], Any]]:
    """Yield the columns of every piece of a source, and scikit-learn's names of them.

    Arrays of texts are numbers if those of the first piece are.
    """
    as_numbers: bool | None = None
    for piece in source.frames():
        if frames.is_frame(piece):
            piece = unlabelled(piece)
        else:
            given = any_array(piece)
            piece = given if as_numbers is False else numbers_of_texts(given)
            as_numbers = piece is not given if as_numbers is None else as_numbers
        yield *take_apart(piece), _get_feature_names(piece)


def forms_of_source(source: Source, first: Schema, kinds: Mapping[Name, str]) -> list[Form | None]:
    """Return how each column of text of a source writes numbers or dates, as far as its first rows tell."""
    names = [field.name for field in first.fields]
    texts: list[Counter[str]] = [Counter() for _ in names]
    if all(field.sort not in ("text", "nothing") for field in first.fields):
        return [None] * len(names)
    rows, others = 0, set()
    for schema, cells, _ in taken_apart(source):
        fields, cells = in_order(schema, cells, names, "the first batch")
        for counts, field, piece in zip(texts, fields, cells, strict=True):
            if field.sort == "text":
                counts.update(text_counts(piece))
            elif field.sort != "nothing":  # batches of several types are refused elsewhere
                others.add(field.name)
        rows += len(cells[0].missing)
        if rows >= ROWS_FOR_FORMS:
            break
    return [
        None if name in others else text_form(name, counts, kinds.get(name))
        for name, counts in zip(names, texts, strict=True)
    ]


def numbered_in_source(source: Source) -> list[Name]:
    """Return the names of the columns of a source of numbers alone that only number the rows.

    Most sources have none by their first piece; otherwise all rows are looked at.
    """
    first = source.first()
    if first is None or not ordered_at_first([cells.values for cells in cells_of_piece(first)[1]]):
        return []
    survey = Survey({})
    for piece in source.frames():
        survey.look(*cells_of_piece(piece))
    return [survey.found[place].field.name for place in sorted(survey.numbered())]


def cells_of_piece(piece: Piece) -> tuple[tuple[Field, ...], list[Cells]]:
    """Return the fields and cells of a piece of a source."""
    if is_batch(piece):
        piece = as_frame(piece, column_names(piece.schema))
    schema, cells = take_apart(unlabelled(piece) if frames.is_frame(piece) else any_array(flattened(piece)[0]))
    return schema.fields, cells


def known_source(source: Source, schema: TableSchema, caller: str, least_rows: int) -> ChunkedTable:
    """Check a source against the columns of `fit`, in one pass; return it as a table."""
    told: set[Name] = set()
    lengths = [len(known_numbers(piece, schema, caller, told)) for piece in source.frames()]
    return measured_table(source, schema, lengths, caller, least_rows, told)


def measured_table(
    source: Source, schema: TableSchema, lengths: list[int], caller: str, least_rows: int, told: set[Name]
) -> ChunkedTable:
    """Return a source whose pieces have these lengths as a table of numbers; columns in `told` were warned of."""
    if sum(lengths) < least_rows:
        raise ValueError(f"X has {sum(lengths)} rows; at least {least_rows} are needed by {caller}")
    source.convert = lambda piece: known_numbers(piece, schema, caller, told)
    source.measured(lengths)
    return ChunkedTable(lengths, source.read, schema.n_numbers, np.dtype(np.float64), in_order=source.in_order)


def pieces_of_source(source: Source, schema: TableSchema, caller: str) -> Iterator[Table]:
    """Yield the rows of a source as checked tables of some MiB."""
    start = 0
    told: set[Name] = set()
    if schema.columns is not None:
        source.convert = lambda piece: known_numbers(piece, schema, caller, told)
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
            block = any_array(piece) if schema.names is None else numbers_with_gaps(piece, schema)
            refuse_width(block.shape[1], schema, caller)
            refuse_non_finite(block, schema.names, start, in_use=True)
            table = DenseTable(block)
        refuse_other_shape(source.row_shape, schema, caller)
        if source.row_shape is not None:
            piece = piece.reshape(len(piece), *source.row_shape)
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
