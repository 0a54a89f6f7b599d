"""`TableSchema`: what a model knows of the table it was fitted on."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.data.columns import Columns
from isthmus.data.fields import Schema

ARRAY = "array"
"""The backend of a `Schema` that describes a numpy array."""


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table: how many, what they are called, what each was taken for, and the kind of table.

    Parameters
    ----------
    n_features : int
        Columns of the table.
    names : tuple or None
        Their names, if all are text.
    frame : Schema or None
        The kind of frame it was and the types of its columns, so that results come back as such a frame; None for
        arrays and sparse matrices of numbers.
    columns : Columns or None
        What each column was taken for, if columns are of several kinds or cells are missing; None for numbers alone.
    row_shape : tuple of int or None
        (height, width) or (height, width, channels) of each row, if `fit` was given images; None for flat rows.
    """

    n_features: int
    names: tuple[Any, ...] | None = None
    frame: Schema | None = None
    columns: Columns | None = None
    row_shape: tuple[int, ...] | None = None

    @property
    def labels(self) -> list[Any]:
        """The names of the columns; x0, x1, ... if they have none."""
        return [f"x{j}" for j in range(self.n_features)] if self.names is None else list(self.names)

    @property
    def feature_names(self) -> np.ndarray | None:
        """The names as scikit-learn keeps them, (F,) of objects; None if there are none."""
        return None if self.names is None else np.array(self.names, dtype=object)

    @property
    def n_numbers(self) -> int:
        """Numbers that hold a row: a time and a very large whole number take two."""
        return self.n_features if self.columns is None else sum(column.numbers for column in self.columns)
