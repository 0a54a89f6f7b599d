"""Categories that a stream brings after its first rows: the cell of unknown categories gets to know their names."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from isthmus.data import frames
from isthmus.data.columns import Column, Columns
from isthmus.data.fields import Cells, Field, Level, Name, merged
from isthmus.data.reading_columns import in_order, take_apart
from isthmus.data.reading_numbers import any_array
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import memory_mapped, open_source

MOST_KNOWN = 1000
"""Categories of a column whose names are kept; those of a text that never repeats would grow without end."""


def with_new_levels(X: object, schema: TableSchema) -> TableSchema:
    """Return the schema with the categories of X that it does not know; itself if there are none.

    Warns of columns that had no values so far and have some now.

    New categories share the cell of rare and unknown ones. If nothing else had that cell, it stands for the most common
    one of them in a reconstruction.

    Parameters
    ----------
    X
        A table that `read_table` has checked against the schema.
    schema
        What is known of the columns.
    """
    columns, frame = schema.columns, schema.frame
    if columns is None or frame is None or not any(grows(column) or was_empty(column) for column in columns):
        return schema
    fields = list(frame.fields)
    new: list[Counter[Level]] = [Counter() for _ in columns]
    begun: dict[Name, None] = {}
    for found, cells in pieces(X, schema):
        for place, (column, field, piece) in enumerate(zip(columns, found, cells, strict=True)):
            if was_empty(column) and not piece.missing.all():
                begun[column.name] = None
            if grows(column):
                known = set(column.levels)
                values = piece.values[~piece.missing].tolist()
                new[place].update(value for value in values if value not in known)
                fields[place] = merged(fields[place], field) if new[place] else fields[place]
    for name in begun:
        warnings.warn(
            f"column {name!r} had no values when the model first saw it, so it is ignored though it has some now; "
            f"columns={{{name!r}: 'real'}} in the first fit or partial_fit keeps it for numbers to come",
            UserWarning,
            stacklevel=3,
        )
    if not any(new):
        return schema
    grown = Columns(grown_by(column, levels) for column, levels in zip(columns, new, strict=True))
    return replace(schema, columns=grown, frame=frame._replace(fields=tuple(fields)))


def pieces(X: object, schema: TableSchema) -> Iterator[tuple[list[Field], list[Cells]]]:
    """Yield the fields and cells of X, in the order of the schema, a piece at a time."""
    assert schema.columns is not None, "tables of several kinds know their columns"
    assert schema.frame is not None, "and have a frame"
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    for piece in [X] if source is None else source.frames():
        if not frames.is_frame(piece):
            piece = any_array(piece)
        found, cells = take_apart(piece)
        if not frames.is_frame(piece) or schema.frame.backend == ARRAY:
            yield list(found.fields), cells
        else:
            yield in_order(found, cells, [column.name for column in schema.columns], "fit")


def grows(column: Column) -> bool:
    """Whether new values of a column are new categories."""
    return column.kind == "category" and column.sort not in ("time", "duration") and len(column.levels) < MOST_KNOWN


def was_empty(column: Column) -> bool:
    """Whether a column is ignored because it had no values."""
    return column.kind == "ignored" and column.missing == 1


def grown_by(column: Column, counts: Counter[Level]) -> Column:
    """Return a column with more categories, the most common ones first."""
    added = [level for level, _ in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))]
    added = added[: MOST_KNOWN - len(column.levels)]
    if not added:
        return column
    last = column.places[-1]
    return replace(column, levels=(*column.levels, *added), places=(*column.places[:-1], *(last for _ in added), last))
