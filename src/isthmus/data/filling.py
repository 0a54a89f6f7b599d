"""`fill_gaps`: a table with the values of another one in its gaps, and every other cell as it was."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from isthmus.data import frames
from isthmus.data.frame_columns import narwhals

if TYPE_CHECKING:
    import pandas
    import pyarrow


def fill_gaps(X: Any, filled: Any, gaps: Sequence[np.ndarray]) -> Any:
    """Return X with the values of another table in its gaps.

    Cells that are there come back as they are, and columns without gaps with their very type; so do the names, the
    order and the labels.

    Parameters
    ----------
    X
        A frame, or an array (n, F).
    filled
        A table of the same kind and size, with the same columns in any order if they have names.
    gaps
        (n,) bool for each column of X, where its gaps are.

    Examples
    --------
    >>> X = np.array([[1.5, np.nan]], dtype=np.float32)
    >>> fill_gaps(X, np.array([[9.0, 2.0]]), [np.array([False]), np.array([True])])
    array([[1.5, 2. ]], dtype=float32)
    """
    if not frames.is_frame(X):
        missing = np.stack(gaps, axis=1)
        result = np.array(X)
        result[missing] = np.asarray(filled)[missing]
        return result
    if frames.backend_of(X) == "pandas":
        return filled_pandas(cast("pandas.DataFrame", X), filled, gaps)
    by_name = dict(zip(frames.names_of(X), gaps, strict=True))
    if frames.backend_of(X) == "pyarrow":
        return filled_arrow(cast("pyarrow.Table", X), filled, by_name)
    return filled_by_narwhals(X, filled, by_name)


def filled_pandas(X: "pandas.DataFrame", filled: "pandas.DataFrame", gaps: Sequence[np.ndarray]) -> "pandas.DataFrame":
    """Fill a frame of pandas."""
    result = X.copy()
    for place, missing in enumerate(gaps):
        if missing.any():
            own, other = X.iloc[:, place], filled[X.columns[place]]
            result.isetitem(place, filled_series(own, other, missing))
    return result


def filled_series(own: "pandas.Series", other: "pandas.Series", missing: np.ndarray) -> "pandas.Series":
    """Fill a column of pandas, whose type stays where it has room for the values."""
    import pandas

    values = other.iloc[np.flatnonzero(missing)]
    if isinstance(own.dtype, pandas.CategoricalDtype):
        known = values.dropna().unique()
        own = own.cat.add_categories([value for value in known if value not in own.cat.categories])
    elif isinstance(own.dtype, pandas.SparseDtype):
        own = own.sparse.to_dense()
    result = own.copy()
    found = values.astype(object).to_numpy(dtype=object)
    if own.dtype != object:
        found = pandas.array(found.tolist(), dtype=own.dtype) if len(found) else found
    result.iloc[np.flatnonzero(missing)] = found
    return result


def filled_arrow(X: "pyarrow.Table", filled: "pyarrow.Table", gaps: dict[Any, np.ndarray]) -> "pyarrow.Table":
    """Fill a table of Arrow."""
    import pyarrow
    import pyarrow.compute

    result = X
    for name, missing in gaps.items():
        if missing.any():
            place = X.schema.get_field_index(name)
            own, other = X.column(place), filled.column(name).cast(X.schema.field(place).type)
            found = pyarrow.compute.if_else(pyarrow.array(missing), other, own)
            result = result.set_column(place, X.schema.field(place), found)
    return result


def filled_by_narwhals(X: Any, filled: Any, gaps: dict[Any, np.ndarray]) -> Any:
    """Fill a frame of polars or of another library that narwhals knows."""
    nw = narwhals()
    frame, others = nw.from_native(X, eager_only=True), nw.from_native(filled, eager_only=True)
    parts = []
    for name, missing in gaps.items():
        own = frame[name]
        if missing.any():
            there = nw.new_series("there", (~missing).tolist(), nw.Boolean, backend=frame.implementation)
            own = own.zip_with(there, others[name].cast(own.dtype))
        parts.append(own.alias(name))
    return frame.with_columns(*parts).to_native()
