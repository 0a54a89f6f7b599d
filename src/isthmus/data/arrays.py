"""Arrays at the boundary: taken apart column by column, like frames."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frame_building, frames
from isthmus.data.clocks import EXCEL
from isthmus.data.fields import Cells, Field, Schema
from isthmus.data.forms import written
from isthmus.data.gaps import is_gap
from isthmus.data.numbering import FIRST_LOOK, LEAST_NUMBERED
from isthmus.data.objects import read_objects
from isthmus.data.row_order import ordered_at_first
from isthmus.data.schema import ARRAY


def takes_columns(X: Any, columns: object) -> bool:
    """Whether an array is read column by column: the user says what columns are, or cells are missing or text.

    Raises
    ------
    ValueError
        If the user says what the columns of a sparse matrix are.
    """
    if scipy.sparse.issparse(X):
        if columns is not None:
            raise ValueError("columns= goes with frames and dense arrays, and X is sparse; take a likelihood= instead")
        return False
    if columns is not None:
        return True
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "fOU":
        return False
    if X.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            suspect = bool(np.isnan(X.sum(dtype=np.float64)))
        return suspect and bool(np.isnan(X).any())
    return any(isinstance(cell, str) or is_gap(cell) for cell in X.flat)


def may_be_numbered(X: Any) -> bool:
    """Whether a column of an array of numbers may number the rows or tell when they came, by the first of them.

    A column of whole numbers of which enough differ has a wide range; one of times as fractions is far from 0.
    """
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "iuf" or len(X) <= LEAST_NUMBERED:
        return False
    first = X[:FIRST_LOOK]
    with np.errstate(invalid="ignore"):
        spread = first.max(axis=0).astype(np.float64) - first.min(axis=0).astype(np.float64)
    wide = np.flatnonzero((spread >= LEAST_NUMBERED) | (first.max(axis=0) >= EXCEL[0]))
    return ordered_at_first([first[:, place] for place in wide])


def rows_of(X: Any, rows: slice) -> Any:
    """Return some rows of a frame or of anything that makes an array, as they are."""
    if not frames.is_frame(X):
        return X[rows]
    return frames.narwhals().from_native(X, eager_only=True)[rows].to_native()


def read_array(X: np.ndarray) -> tuple[Schema, list[Cells]]:
    """Take an array (n, F) apart: a description and the cells of each column."""
    found = [read_array_column(index, X[:, index]) for index in range(X.shape[1])]
    return Schema(ARRAY, tuple(field for field, _ in found)), [cells for _, cells in found]


def read_array_column(index: int, values: np.ndarray) -> tuple[Field, Cells]:
    """Take one column (n,) of an array apart."""
    own = str(values.dtype)
    if values.dtype.kind in "OU":
        objects = values.astype(object)
        missing = np.array([is_gap(value) for value in objects], dtype=bool)
        if missing.all():
            return Field(index, "nothing", own), Cells(np.full(len(missing), np.nan), missing)
        return read_objects(index, own, objects, missing)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    if missing.all() and len(missing):
        return Field(index, "nothing", own), Cells(np.full(len(missing), np.nan), missing)
    sort = {"f": "float", "b": "boolean"}.get(values.dtype.kind, "integer")
    return Field(index, sort, own), Cells(values.astype(np.float64) if sort == "float" else values, missing)


def build_array(schema: Schema, cells: Sequence[Cells], like: Any = None, given: Collection[int] = ()) -> np.ndarray:
    """Return columns as an array (n, F); missing cells are NaN, or None in an array of objects.

    Those at the places `given` are taken from `like`, rows as they came.
    """
    values = [column_values(*written(field, piece)) for field, piece in zip(schema.fields, cells, strict=True)]
    gap: Any = None if any(column.dtype.kind == "O" for column in values) else np.nan
    parts = [np.where(piece.missing, gap, one) for piece, one in zip(cells, values, strict=True)]
    for place in given:
        parts[place] = np.asarray(like)[:, place]
    return np.stack(parts, axis=1)


def column_values(field: Field, cells: Cells) -> np.ndarray:
    """Return the values of a column as they are in an array, (n,)."""
    return frame_building.time_objects(field, cells) if field.sort in ("time", "duration") else cells.values
