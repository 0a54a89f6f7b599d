"""What holds rows and is neither a frame nor a matrix: lists, tensors, masked arrays; and refusals that name the call.

`array_of` is the only place that knows these kinds.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import scipy.sparse
import torch

CALLS = {
    "dask": "X.compute()",
    "pyspark": "X.toPandas()",
    "duckdb": "X.df()",
    "ibis": "X.to_pandas()",
    "xarray": "X.to_dataframe()",
    "datasets": "X.to_pandas()",
    "h5py": "X['name'], an array of this file or group",
}
"""The calls that make frames or arrays of the tables of other packages."""
CONCATENATIONS = {"pandas": "pandas.concat(X)", "polars": "polars.concat(X)", "pyarrow": "pyarrow.concat_tables(X)"}
"""The calls that make one frame of several."""


def array_of(X: Any) -> Any:
    """Return rows that are in no frame as an array or a sparse matrix.

    Lists of rows keep each value's type; tensors are detached and copied from their device; masked cells are missing
    cells. Anything else that numpy can make an array of is returned as it is.

    Raises
    ------
    ValueError
        If X is a container of which no table can be made without a choice; the message names the call to make.

    Examples
    --------
    >>> array_of(np.ma.masked_values([[1.0, -9.0]], -9.0))
    array([[ 1., nan]])
    >>> array_of({"a": [1, 2]})
    Traceback (most recent call last):
    ValueError: X is a dict of columns; give pandas.DataFrame(X)
    """
    if isinstance(X, torch.Tensor):
        return array_of_tensor(X)
    if isinstance(X, np.ndarray):
        if X.dtype.names is not None:
            raise ValueError(f"X is a structured array with the fields {list(X.dtype.names)}; give pandas.DataFrame(X)")
        if X.ndim == 0:
            refuse_other_kinds(X)
        return with_gaps(X) if isinstance(X, np.ma.MaskedArray) else X
    if isinstance(X, list | tuple):
        return array_of_rows(X)
    if not scipy.sparse.issparse(X):  # one kind of which is a dict
        refuse_other_kinds(X)
    return X


def array_of_tensor(X: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array."""
    if X.layout != torch.strided:
        raise ValueError("X is a sparse tensor; give X.to_dense(), or a matrix of scipy.sparse")
    X = X.detach().resolve_conj().resolve_neg().cpu()
    known = (torch.float16, torch.float32, torch.float64)
    return (X.float() if X.is_floating_point() and X.dtype not in known else X).numpy()


def with_gaps(X: "np.ma.MaskedArray[Any, Any]") -> np.ndarray:
    """Return a masked array as one with missing cells: NaN, or None among objects, texts and very large numbers."""
    mask, values = np.ma.getmaskarray(X), np.asarray(X.data)
    if not mask.any():
        return values
    if values.dtype.kind == "f":
        return np.where(mask, values.dtype.type(np.nan), values)
    exact = values.dtype.kind in "biu" and bool((np.abs(np.where(mask, 0, values).astype(np.float64)) < 2**53).all())
    gap: Any = np.nan if exact else None
    return np.where(mask, gap, values if exact else values.astype(object))


def array_of_rows(X: Sequence[Any]) -> Any:
    """Return lists of rows as an array that keeps each value's type, if they make one; X as it is otherwise."""
    refuse_lists_of_tables(X)
    if X and isinstance(X[0], np.void):
        raise ValueError("X is a list of records; give pandas.DataFrame.from_records(X)")
    if X and all(isinstance(row, torch.Tensor) for row in X):
        return np.array([array_of_tensor(row) for row in X])
    if any(isinstance(row, np.ma.MaskedArray) for row in X):
        return with_gaps(np.ma.array(X))
    try:
        array = np.array(X)
        # numpy makes text of all values where one is text.
        array = np.array(X, dtype=object) if array.dtype.kind in "US" else array
    except ValueError:
        refuse_ragged(X)
        return X
    return array if array.ndim >= 2 else X


def refuse_lists_of_tables(X: Sequence[Any]) -> None:
    """Raise a `ValueError` if X is a list of frames, of columns, or of dictionaries."""
    if not X:
        return
    kinds = {type(row) for row in X}
    package = type(X[0]).__module__.split(".")[0]
    if all(issubclass(kind, Mapping) for kind in kinds):
        raise ValueError("X is a list of dictionaries; give pandas.DataFrame(X)")
    if package in CONCATENATIONS and len(kinds) == 1:
        columns = type(X[0]).__name__ in ("Series", "ChunkedArray") or hasattr(X[0], "to_frame")
        call = "pandas.concat(X, axis=1)" if package == "pandas" else f"{package}'s own function for a table of columns"
        raise ValueError(
            f"X is a list of columns of {package}; give {call}"
            if columns
            else f"X is a list of {len(X)} frames of {package}; give {CONCATENATIONS[package]}"
        )


def refuse_ragged(X: Sequence[Any]) -> None:
    """Raise a `ValueError` if the rows of X have different lengths."""
    lengths = [len(row) for row in X if isinstance(row, list | tuple | np.ndarray)]
    odd = next((place for place, length in enumerate(lengths) if length != lengths[0]), None)
    if len(lengths) == len(X) and odd is not None:
        raise ValueError(
            f"the rows of X have different lengths: row 0 has {lengths[0]} values, and row {odd} has {lengths[odd]}; "
            "give each row as many, None where one is missing"
        )


def refuse_other_kinds(X: Any) -> None:
    """Raise a `ValueError` for tables and collections of other kinds, with the call that makes a frame or an array."""
    kind = type(X)
    package, name = kind.__module__.split(".")[0], kind.__name__
    if package == "polars" and name == "LazyFrame":
        raise ValueError("X is a polars LazyFrame, which holds no rows yet; give X.collect()")
    if package in ("pandas", "polars") and hasattr(X, "to_frame"):
        raise ValueError(f"X is a {package} {name}, one column; give the frame X.to_frame()")
    if package == "pyarrow" and hasattr(X, "null_count"):
        raise ValueError("X is one column of pyarrow; give the table pyarrow.table({'x': X})")
    if package in CALLS and not hasattr(kind, "dtype"):  # which arrays of these packages have
        raise ValueError(f"X is a {name} of {package}; give {CALLS[package]}")
    if isinstance(X, Mapping):
        raise ValueError(f"X is a {name} of columns; give pandas.DataFrame(X)")
    if isinstance(X, Iterator | Set) or name in ("dict_values", "dict_items"):
        raise ValueError(f"X is a {name}; give list(X)")
    if (X.shape if hasattr(X, "shape") else np.asarray(X).shape) == ():
        what = "None" if X is None else f"of type {name}"
        raise ValueError(
            f"X is {what}, which is no table; give an array (n, F), a frame of pandas, polars or Arrow, "
            "a scipy.sparse matrix, or the path of a .npy or Parquet file"
        )
