"""Reading rows of numbers in memory: arrays, lists, frames of numbers and sparse matrices, by scikit-learn's checks."""

import functools
import re

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from isthmus.data import frame_building, frames
from isthmus.data.containers import array_of
from isthmus.data.dense import DenseTable
from isthmus.data.fields import Schema
from isthmus.data.finite import refuse_non_finite
from isthmus.data.frame_columns import own_type
from isthmus.data.gaps import is_gap
from isthmus.data.schema import TableSchema
from isthmus.data.sparse import SparseTable
from isthmus.data.table import Numbers, Table
from isthmus.data.text_arrays import numbers_of_texts

UNCOMMON = re.compile(r"Sparse\[|[dD]ecimal|U?Int128")
"""Types of numbers of frames that scikit-learn's checks do not read as numbers, or warn of."""
COMMON_TYPES = {
    "pandas": {"float": "float64", "integer": "int64", "boolean": "bool"},
    "polars": {"float": "Float64", "integer": "Int64", "boolean": "Boolean"},
    "pyarrow": {"float": "double", "integer": "int64", "boolean": "bool"},
}
"""Types of numbers that every library reads, by the sort of the column."""


def learn_numbers(X: object, caller: str, least_rows: int, frame: Schema | None = None) -> tuple[Table, TableSchema]:
    """Read a table of numbers alone, and learn the number and names of its columns."""
    view = scikit_learns_view(caller)
    numbers = checked_numbers(in_common_types(X), view, True, least_rows)
    names = getattr(view, "feature_names_in_", None)
    return table_of_numbers(numbers), TableSchema(numbers.shape[1], None if names is None else tuple(names), frame)


def read_numbers(X: object, schema: TableSchema, caller: str, least_rows: int, *, in_use: bool) -> Table:
    """Read a table of numbers alone, and check it against the number and names of the columns of `fit`.

    The columns of a frame may come in another order. In use, cells of a dense table may be missing (NaN).
    """
    if frames.is_frame(X):
        X = X if schema.frame is None else frames.in_order(X, [field.name for field in schema.frame.fields])
    else:
        X = array_of(X)
        X = with_nan(X) if in_use else X
        X = numbers_of_texts(X) if isinstance(X, np.ndarray) else X
    view = scikit_learns_view(caller, schema)
    try:
        return table_of_numbers(checked_numbers(in_common_types(X), view, False, least_rows, in_use=in_use))
    except ValueError:
        if schema.frame is not None and frames.is_frame(X) and not in_use:
            refuse_new_gaps(X, caller)
        raise


def with_nan(X: object) -> object:
    """Return an array of objects with NaN for None and pandas' NA, in a copy; anything else as it is."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "O":
        return X
    missing = np.vectorize(is_gap, otypes=[bool])(X)
    return np.where(missing, np.nan, X) if missing.any() else X


@functools.cache
def view_class(caller: str) -> type[BaseEstimator]:
    """Return a class of the caller's name, which scikit-learn's checks put into their messages."""
    return type(caller, (BaseEstimator,), {})


def scikit_learns_view(caller: str, schema: TableSchema | None = None) -> BaseEstimator:
    """Return what scikit-learn's checks read and write: an estimator of the caller's name that knows the columns."""
    view = view_class(caller)()
    if schema is not None:
        view.n_features_in_ = schema.n_features
        if schema.names is not None:
            view.feature_names_in_ = schema.feature_names
    return view


def checked_numbers(X: object, view: BaseEstimator, reset: bool, least_rows: int, *, in_use: bool = False) -> Numbers:
    """Return X as a two-dimensional array of finite numbers, not copied where it is one; a sparse matrix as CSR.

    In use, cells of a dense table may be missing (NaN), and no finite value is too large.
    """
    caller = type(view).__name__
    try:
        array = validate_data(
            view,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_samples=least_rows,
        )
        if array.dtype.kind == "O":  # columns of a frame that have no number type in common
            array = array.astype(np.float64)
    except ValueError as error:
        if "could not convert string" in str(error) or "bytes/strings" in str(error):
            raise ValueError(
                f"X holds text ({error}); {caller} takes numbers: encode such columns first, for "
                "example with sklearn.preprocessing.OneHotEncoder or OrdinalEncoder"
            ) from error
        raise
    if array.dtype.kind not in "biuf":
        raise ValueError(f"X holds {array.dtype} values; {caller} takes numbers: convert them first")
    refuse_non_finite(array, getattr(view, "feature_names_in_", None), in_use=in_use)
    return array


def table_of_numbers(numbers: Numbers) -> Table:
    """Return an array or a CSR matrix as a table."""
    return DenseTable(numbers) if isinstance(numbers, np.ndarray) else SparseTable(numbers)


def any_array(X: object) -> np.ndarray:
    """Return X as a two-dimensional array of numbers or objects; missing values stay as they are."""
    array: np.ndarray = check_array(array_of(X), dtype=None, ensure_all_finite=False, ensure_min_samples=0)
    return array


def in_common_types(X: object) -> object:
    """Return a frame of numbers with types that scikit-learn's checks read as numbers; anything else as it is.

    Columns of sparse, decimal and 128-bit types are read here; a frame with one of them gets new columns.
    """
    if not frames.is_frame(X) or not any(UNCOMMON.match(own_type(series)) for _, series in frames.columns_of(X)):
        return X
    schema, cells = frames.read(X)
    types = COMMON_TYPES.get(schema.backend, {})
    if any(field.sort not in types for field in schema.fields):
        return X
    fields = tuple(field._replace(dtype=types[field.sort], form=None) for field in schema.fields)
    return frame_building.build(Schema(schema.backend, fields), cells, X)


def refuse_new_gaps(X: frames.Frame, caller: str) -> None:
    """Raise a `ValueError` that names a column with missing cells, where the table of `fit` had none."""
    for name, series in frames.columns_of(X):
        if series.is_null().any():
            raise ValueError(
                f"column {name!r} has missing cells, and there were none in fit: {caller} "
                "(columns='auto') learns to do without cells"
            )


def refuse_width(width: int, schema: TableSchema, caller: str) -> None:
    """Raise a `ValueError` if there are more or fewer columns than in `fit`."""
    if width != schema.n_features:
        raise ValueError(f"X has {width} features, but {caller} is expecting {schema.n_features} features as input")
