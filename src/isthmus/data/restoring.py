"""`restore`: rows of numbers as the kind of table that was given to `fit`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.data import frame_building, frames
from isthmus.data.arrays import build_array
from isthmus.data.columns import AS_GIVEN, Columns
from isthmus.data.encoding import decoded
from isthmus.data.fields import Cells, Schema
from isthmus.data.images import flattened, in_shape
from isthmus.data.reading_numbers import any_array
from isthmus.data.schema import ARRAY, TableSchema


def restore(numbers: np.ndarray, schema: TableSchema, like: Any = None) -> Any:
    """Return rows of numbers (n, R) as a table of the kind that was given to `fit`: a frame, or an array (n, F).

    Parameters
    ----------
    numbers
        As `read_table` gives them, or as a model rebuilds them.
    schema
        What was learned of the table.
    like
        The rows that the numbers belong to, a frame or an array. The result takes their row labels (pandas' index), and
        the columns that cannot be rebuilt (ignored ones, times of which only the calendar is learned) as they are
        there. Without it, such cells are missing. Where `fit` was given images, the result has their shape unless this
        array is flat.
    """
    frame = schema.frame
    if frame is None:
        return in_shape(numbers, schema, like)
    cells = cells_of_numbers(frame, numbers) if schema.columns is None else decoded(schema.columns, numbers)
    given = [] if like is None or schema.columns is None else not_rebuilt(schema.columns, cells)
    rows = any_array(flattened(like)[0]) if given and not frames.is_frame(like) else like
    if frame.backend == ARRAY:
        return in_shape(build_array(frame, cells, rows, given), schema, like)
    return frame_building.build(frame, cells, rows, given)


def not_rebuilt(columns: Columns, cells: Sequence[Cells]) -> list[int]:
    """Return the places of the columns that cannot be rebuilt, and of which there is no cell."""
    pairs = enumerate(zip(columns, cells, strict=True))
    return [place for place, (column, piece) in pairs if column.kind in AS_GIVEN and piece.missing.all()]


def cells_of_numbers(schema: Schema, numbers: np.ndarray) -> list[Cells]:
    """Return numbers (n, F) as the cells of a frame: whole numbers rounded and within their type, booleans from 0.5."""
    nothing = np.zeros(len(numbers), dtype=bool)
    cells = []
    for field, values in zip(schema.fields, numbers.T, strict=True):
        if field.sort == "integer":
            values = as_integers(values, integer_type(field.dtype))
        elif field.sort == "boolean":
            values = values >= 0.5
        cells.append(Cells(values.astype(np.float64) if field.sort == "float" else values, nothing))
    return cells


def integer_type(name: str) -> np.dtype:
    """Return numpy's type for a frame's type of whole numbers ("UInt8", "int16[pyarrow]"); int64 for others."""
    try:
        return np.dtype(name.removesuffix("[pyarrow]").lower())
    except TypeError:
        return np.dtype(np.int64)


def as_integers(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Round numbers to whole numbers within the range of the type."""
    kind = kind if kind.kind in "iu" else np.dtype(np.int64)
    ends = np.iinfo(kind)
    # The limits of 64-bit types are not floats: take the nearest ones inside.
    least, most = (np.nextafter(float(end), 0) if kind.itemsize == 8 else float(end) for end in (ends.min, ends.max))
    return np.round(values.astype(np.float64)).clip(least, most).astype(kind)
