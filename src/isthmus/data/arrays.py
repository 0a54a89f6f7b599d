"""Arrays at the boundary: taken apart column by column, like frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frame_building, frames
from isthmus.data.fields import Cells, Field, Schema
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


def is_gap(cell: object) -> bool:
    """Whether a Python object stands for a missing cell: None, NaN, or pandas' NA and NaT."""
    return cell is None or (isinstance(cell, float) and cell != cell) or type(cell).__name__ in ("NAType", "NaTType")


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
        return frames.read_objects(index, own, objects, missing)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    if missing.all() and len(missing):
        return Field(index, "nothing", own), Cells(np.full(len(missing), np.nan), missing)
    sort = {"f": "float", "b": "boolean"}.get(values.dtype.kind, "integer")
    return Field(index, sort, own), Cells(values.astype(np.float64) if sort == "float" else values, missing)


def build_array(schema: Schema, cells: Sequence[Cells]) -> np.ndarray:
    """Return columns as an array (n, F); missing cells are NaN, or None in an array of objects."""
    of_times = [field.sort == "time" for field in schema.fields]
    values = [
        frame_building.time_objects(field, piece) if timed else piece.values
        for field, piece, timed in zip(schema.fields, cells, of_times, strict=True)
    ]
    gap: Any = None if any(column.dtype.kind == "O" for column in values) else np.nan
    return np.stack([np.where(piece.missing, gap, one) for piece, one in zip(cells, values, strict=True)], axis=1)
