"""Rows of any kind as one number per column: codes of categories, days of times, NaN where missing."""

import numpy as np

from isthmus.data.columns import Column
from isthmus.data.reading import read_table
from isthmus.data.schema import TableSchema
from isthmus.reports.sampling import CALLER
from isthmus.tasks.anomaly.checks import dense


def column_values(rows: object, schema: TableSchema) -> np.ndarray:
    """Return the cells of rows as numbers, (n, columns) float64."""
    numbers = read_table(rows, schema, caller=CALLER).drawn(slice(None))
    values = np.asarray(dense(numbers), dtype=np.float64)
    if schema.columns is None:
        return values
    edges = np.cumsum([0, *(column.numbers for column in schema.columns)])
    parts = [value_of(column, values[:, edge:]) for column, edge in zip(schema.columns, edges, strict=False)]
    return np.stack(parts, axis=1) if parts else values


def value_of(column: Column, numbers: np.ndarray) -> np.ndarray:
    """Return the cells (n,) of a column, whose numbers come first; a value that is stored as two numbers is rounded."""
    first, second = column.unit_values
    return first * numbers[:, 0] + second * numbers[:, 1] if column.wide else numbers[:, 0]


def is_categorical(column: Column) -> bool:
    """Whether a column's values are names, of which one is right or wrong, rather than numbers."""
    return column.kind in ("category", "boolean") or (bool(column.levels) and column.kind != "ordinal")
