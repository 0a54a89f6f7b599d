"""Tables as they are given to an imputer: what is taken, and where the gaps are."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.images import array_of_images, dimensions, flattened
from isthmus.data.number_texts import NumberText
from isthmus.data.reading_columns import take_apart
from isthmus.data.reading_numbers import any_array
from isthmus.data.schema import TableSchema
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
    """Return which cells of each column of X are missing, (n,) each, in the order of X.

    In a column of texts that are numbers or times, also texts such as "n/a" are gaps; other texts are cells that are
    there, even if they cannot be read.
    """
    found, cells = take_apart(flattened(X)[0])
    gaps = [piece.missing for piece in cells]
    if schema.frame is None or not frames.is_frame(X):
        return gaps
    forms = {field.name: field.form for field in schema.frame.fields}
    for place, (field, piece) in enumerate(zip(found.fields, cells, strict=True)):
        form = forms.get(field.name)
        if isinstance(form, NumberText | TimeText) and field.sort == "text":
            texts = [text is not None and stands_for_gap(form, text) for text in piece.values.tolist()]
            gaps[place] = piece.missing | np.array(texts, dtype=bool)
    return gaps
