"""Arrow's tables and record batches: their columns as numbers, results as their columns, and refusals by name."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from isthmus.core.extras import MissingExtraError

PANDAS = b"pandas"
"""The key of pandas' description of a table in the metadata of a schema."""


def arrow() -> Any:
    """Return pyarrow, with its modules for data sets and Parquet.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.dataset
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("reading and writing Parquet", "pyarrow", extra="tables") from error
    return pyarrow


def numbers(table: Any, names: Sequence[str], dtype: np.dtype | None = None, *, gaps: bool = False) -> np.ndarray:
    """Return those columns of a RecordBatch or a Table as numbers, (b, F).

    Parameters
    ----------
    table
        The columns, and others.
    names
        Which, in this order.
    dtype
        The number type; None takes one that holds them all.
    gaps
        Whether cells may be missing; they are NaN then, and whole numbers beside them floats.

    Raises
    ------
    ValueError
        If a column is missing, holds no numbers, or has gaps that are not allowed; it is named.
    """
    refuse_text(table.schema, "the batch", names)
    chosen = [table.column(name) for name in names]
    for name, column in zip(names, chosen, strict=True):
        if column.null_count and not gaps:
            raise ValueError(
                f"column {name!r} has {column.null_count} empty cells among {len(column)} rows; fill them first, leave "
                "these rows out, or fit with columns='auto', which takes gaps"
            )
    dtype = common_type(column.type for column in chosen) if dtype is None else dtype
    if any(column.null_count for column in chosen):
        dtype = np.result_type(dtype, np.float32)
        chosen = [column.cast(arrow().float64()) if column.null_count else column for column in chosen]
    arrays = [column.to_numpy(zero_copy_only=False) if is_array(column) else column.to_numpy() for column in chosen]
    return np.stack(arrays, axis=1, dtype=dtype, casting="unsafe")


def as_frame(batch: Any, names: Sequence[str]) -> Any:
    """Return those columns of a RecordBatch or a table as a table of Arrow's."""
    pa = arrow()
    refuse_absence(batch.schema, "the batch", names)
    return (pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch).select(list(names))


def is_array(column: Any) -> bool:
    """Whether a column is in one piece."""
    return isinstance(column, arrow().Array)


def refuse_text(schema: Any, what: str, names: Sequence[str] | None) -> None:
    """Raise a `ValueError` if one of the columns is missing, there twice, or holds anything but numbers."""
    refuse_absence(schema, what, names)
    for name in schema.names if names is None else names:
        kind = schema.field(name).type
        if not is_numeric(kind):
            raise ValueError(
                f"column {name!r} holds {kind} values, and the model was fitted on numbers or booleans; encode it "
                "first, or leave it out"
            )


def is_numeric(kind: Any) -> bool:
    """Whether a type of Arrow's is one of numbers or booleans."""
    types = arrow().types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def refuse_absence(schema: Any, what: str, names: Sequence[str] | None) -> None:
    """Raise a `ValueError` if one of the columns is missing or there twice."""
    for name in schema.names if names is None else names:
        found = schema.get_all_field_indices(name)
        if not found:
            raise ValueError(f"column {name!r}, known from fit, is missing in {what}; there are {list(schema.names)}")
        if len(found) > 1:
            raise ValueError(f"column {name!r} is there {len(found)} times in {what}; give each a name of its own")


def common_type(kinds: Iterable[Any]) -> np.dtype:
    """Return a number type that holds values of all these types of Arrow's."""
    return np.result_type(*{np.dtype(kind.to_pandas_dtype()) for kind in kinds})


def as_table(piece: np.ndarray, names: Sequence[str]) -> Any:
    """Return a piece of a result, (b, columns) or (b,), as a table of Arrow's with columns of those names."""
    columns = piece.reshape(len(piece), -1).T
    # Rows that came as columns: each must be in one piece for Arrow.
    return arrow().table({name: np.ascontiguousarray(c) for name, c in zip(names, columns, strict=True)})


def pandas_description(schema: Any) -> dict[str, Any]:
    """Return what pandas says of a table in the metadata of a schema of Arrow's; {} if nothing."""
    found = (schema.metadata or {}).get(PANDAS)
    return {} if found is None else dict(json.loads(found))


def index_columns(schema: Any) -> list[str]:
    """Return the names of the columns that hold pandas' index, by a schema of Arrow's."""
    told = pandas_description(schema).get("index_columns", [])
    return [name for name in told if isinstance(name, str) and name in schema.names]


def column_names(schema: Any) -> list[str]:
    """Return the names of all other columns."""
    labels = index_columns(schema)
    return [name for name in schema.names if name not in labels]


def is_table(X: object) -> bool:
    """Whether X is a table of Arrow's."""
    return type(X).__module__.split(".")[0] == "pyarrow" and type(X).__name__ == "Table"


def is_batch(X: object) -> bool:
    """Whether X is a record batch of Arrow's."""
    return type(X).__module__.split(".")[0] == "pyarrow" and type(X).__name__ == "RecordBatch"


def unlabelled(X: Any) -> Any:
    """Return a table of Arrow's without the columns of pandas' index; anything else as it is."""
    return X.select(column_names(X.schema)) if is_table(X) and index_columns(X.schema) else X
