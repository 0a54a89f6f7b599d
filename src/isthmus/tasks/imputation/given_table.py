"""Tables as they are given to an imputer: what is taken, and where the gaps are."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.columns import AS_GIVEN, Column
from isthmus.data.fields import Cells, Field
from isthmus.data.images import array_of_images, dimensions, flattened
from isthmus.data.number_texts import NumberText
from isthmus.data.reading_columns import take_apart
from isthmus.data.reading_numbers import any_array
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import is_source, memory_mapped
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.data.text_columns import stands_for_gap
from isthmus.data.time_texts import TimeText


def in_memory(X: object) -> Any:
    """Return a frame as it is, the array of a .npy file memory-mapped, and anything else as an array.

    Raises
    ------
    ValueError
        If X is sparse, or read a piece at a time.
    """
    X = memory_mapped(X)
    if frames.is_frame(X):
        return X
    if scipy.sparse.issparse(X):
        raise ValueError(
            "Imputer takes tables whose cells may be missing, and in a sparse matrix cells that are not stored are "
            "zeros: for a dense table give X.toarray(), with NaN where a cell is missing"
        )
    if isinstance(X, str | Path) or is_source(X):
        raise ValueError(
            f"Imputer takes rows in memory, and X is a source of rows ({type(X).__name__}): read it first, for "
            "example with pandas.read_parquet"
        )
    if dimensions(X) > 2:
        return array_of_images(X)
    return numbers_of_texts(any_array(X))


def gaps_of(X: Any, schema: TableSchema) -> list[np.ndarray]:
    """Return which cells of each column of X are to be filled, (n,) each, in the order of X.

    None are in columns that are not learned: those that identify rows, and times.

    In a column of texts that are numbers or times, also texts such as "n/a" are gaps; other texts are cells that are
    there, even if they cannot be read.
    """
    columns, frame = schema.columns, schema.frame
    assert columns is not None, "an imputer learns columns of several kinds"
    assert frame is not None, "which are those of a frame, or of an array that is read as one"
    found, cells = take_apart(flattened(X)[0])
    by_place = not frames.is_frame(X) or frame.backend == ARRAY
    known = list(zip(columns, frame.fields, strict=True))
    by_name = {field.name: (column, field) for column, field in known}
    pairs = known if by_place else [by_name[field.name] for field in found.fields]
    return [
        gaps_of_column(column, learned, field, piece)
        for (column, learned), field, piece in zip(pairs, found.fields, cells, strict=True)
    ]


def gaps_of_column(column: Column, learned: Field, field: Field, cells: Cells) -> np.ndarray:
    """Return which cells of a column are to be filled, (n,), from its fields in `fit` and in use."""
    if column.kind in AS_GIVEN:
        return np.zeros(len(cells.missing), dtype=bool)
    if field.sort == "text" and isinstance(learned.form, NumberText | TimeText):
        texts = [text is not None and stands_for_gap(learned.form, text) for text in cells.values.tolist()]
        return cells.missing | np.array(texts, dtype=bool)
    return cells.missing
