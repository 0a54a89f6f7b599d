"""A model applied to the rows of a file, piece by piece, beside what names the rows."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data import arrow_tables, frame_building, frames
from isthmus.data.sources import open_source

if TYPE_CHECKING:
    import pyarrow

    from isthmus.data.files import DataFile

Piece = object
"""Rows of a file: an array, a sparse matrix or a table of Arrow's."""


def applied(file: "DataFile", use: "Callable[[Piece], pyarrow.Table]") -> "Iterator[pyarrow.Table]":
    """Yield the result for each piece of a file's rows, behind the columns that name them."""
    start = 0
    for piece in pieces_of(file):
        result = use(piece)
        yield beside(None if file.ids is None else file.ids.slice(start, result.num_rows), result)
        start += result.num_rows


def pieces_of(file: "DataFile") -> Iterator[Piece]:
    """Yield the rows of a file: at once if they are in memory, else as they are read."""
    source = open_source(file.data)
    if source is None:
        yield file.data
    else:
        yield from source.frames()


def beside(ids: "pyarrow.Table | None", result: "pyarrow.Table") -> "pyarrow.Table":
    """Return a result with the columns that name its rows before it."""
    if ids is None:
        return result
    for place, name in enumerate(ids.column_names):
        if name in result.column_names:
            raise ValueError(f"the result has a column {name!r} as the --id column; rename it in the data first")
        result = result.add_column(place, ids.schema.field(name), ids.column(name))
    return result


def columns_table(values: np.ndarray, names: list[str]) -> "pyarrow.Table":
    """Return numbers (n,) or (n, K) as a table with those column names."""
    return arrow_tables.as_table(np.asarray(values), names)


def rows_table(rows: object, names: list[str]) -> "pyarrow.Table":
    """Return rows in the data's own units, an array (n, ...) or a frame, as a table."""
    if frames.is_frame(rows):
        return arrow_tables.unlabelled(frame_building.to_arrow(rows))
    array = np.asarray(rows)
    return columns_table(array.reshape(len(array), -1), names)


def numbers(rows: object) -> np.ndarray:
    """Return rows of numbers (n, K) as an array.

    Raises
    ------
    ValueError
        If a column holds something else.
    """
    if not frames.is_frame(rows):
        return np.asarray(rows, dtype=np.float64)
    table = frame_building.to_arrow(rows)
    return arrow_tables.numbers(table, arrow_tables.column_names(table.schema), gaps=False)
