"""Columns of pandas whose types other libraries do not have: periods, sparse ones, zones, unusual number types."""

import re
from typing import TYPE_CHECKING, cast

import numpy as np

from isthmus.data.fields import Level, Name
from isthmus.data.zones import zone_name, zone_of

if TYPE_CHECKING:
    import pandas
    import pyarrow

LEVEL_TYPES = (str, int, float, bool)
"""What categories may be; the types of `Level`."""
OF_INTERVALS = re.compile(r"category\[interval\[(.+), (\w+)\]\]")
"""How `category_type` calls categories that are intervals."""


def common_type(native: "pandas.Series") -> "pandas.Series | pyarrow.ChunkedArray":
    """Return a column with a type that other libraries have, too: its values, or what they are read as.

    Times lose their zone and are in UTC; periods become the times at which they begin.
    """
    import pandas

    dtype = native.dtype
    if isinstance(dtype, pandas.ArrowDtype):
        import pyarrow

        return pyarrow.chunked_array(pyarrow.array(native))
    if isinstance(dtype, pandas.SparseDtype):
        return common_type(native.sparse.to_dense())
    if isinstance(dtype, pandas.PeriodDtype):
        return native.dt.to_timestamp()
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return native.dt.tz_convert("UTC").dt.tz_localize(None)
    if isinstance(dtype, np.dtype) and dtype.kind == "f" and (dtype.itemsize not in (4, 8) or not dtype.isnative):
        return native.astype(np.float64)
    if isinstance(dtype, np.dtype) and dtype.kind in "iu" and not dtype.isnative:
        return native.astype(dtype.newbyteorder("="))
    return native


def zone_of_column(name: Name, native: "pandas.Series") -> str | None:
    """Return the name of the time zone of a column; None if it has none.

    Raises
    ------
    ValueError
        If it has a zone without a name; the column is named.
    """
    import pandas

    if not isinstance(native.dtype, pandas.DatetimeTZDtype):
        return None
    found = zone_name(native.dtype.tz)
    if found is None:
        raise ValueError(
            f"column {name!r} has times in a zone without a name ({native.dtype.tz!r}); convert it with "
            f"X[{name!r}].dt.tz_convert('UTC')"
        )
    return found


def refuse_type(name: Name, native: "pandas.Series") -> None:
    """Raise a `ValueError` for types that cannot be read, with the call that makes another one of them."""
    import pandas

    call = ""
    if isinstance(native.dtype, pandas.IntervalDtype):
        call = f"make it a category with X[{name!r}].astype('category')"
    elif native.dtype.kind == "c":
        call = f"give X[{name!r}].to_numpy().real and .imag as two columns"
    elif isinstance(native.dtype, pandas.SparseDtype) and native.dtype.subtype.kind not in "biuf":
        call = f"make it dense with X[{name!r}].sparse.to_dense()"
    if call:
        raise ValueError(
            f"column {name!r} holds values of type {native.dtype}, which are neither numbers, categories nor times; "
            f"{call}"
        )


def category_type(native: "pandas.Series") -> str:
    """Return the type of a categorical column: "category", with the type of the categories if they are intervals."""
    import pandas

    kind = native.cat.categories.dtype
    return f"category[{kind}]" if isinstance(kind, pandas.IntervalDtype) else "category"


def levels_of(name: Name, native: "pandas.Series") -> tuple[Level, ...]:
    """Return the categories of a column: text or numbers, and intervals as text.

    Raises
    ------
    ValueError
        If they are of another type; the column is named.
    """
    levels = native.cat.categories.tolist()
    if category_type(native) != "category":
        return tuple(interval_text(level) for level in levels)
    odd = next((level for level in levels if not isinstance(level, LEVEL_TYPES)), None)
    if odd is not None:
        raise ValueError(
            f"column {name!r} has categories of type {type(odd).__name__}; make them text or numbers, for example with "
            f"X[{name!r}].cat.rename_categories(str)"
        )
    return tuple(levels)


def interval_text(interval: "pandas.Interval") -> str:
    """Return an interval as text from which `intervals` makes it again.

    >>> import pandas
    >>> interval_text(pandas.Interval(0.1, 2.0))
    '(0.1, 2.0]'
    """
    left, right = "[" if interval.closed_left else "(", "]" if interval.closed_right else ")"
    return f"{left}{interval.left!s}, {interval.right!s}{right}"


def intervals(texts: list[str], dtype: str) -> "pandas.IntervalIndex":
    """Return the intervals that stand for texts, of a categorical column of this type."""
    import pandas

    match = OF_INTERVALS.fullmatch(dtype)
    assert match is not None, "asked for columns of intervals alone"
    kind, closed = match.groups()
    ends = [text[1:-1].split(", ") for text in texts]
    left, right = (pandas.Index([pair[side] for pair in ends]).astype(kind) for side in (0, 1))
    return pandas.IntervalIndex.from_arrays(left, right, closed=closed)


def sparse_type(name: str) -> "pandas.SparseDtype":
    """Return pandas' sparse type of this name, such as "Sparse[float64, 0.0]"."""
    import pandas

    match = re.fullmatch(r"Sparse\[(\w+), (.*)\]", name)
    assert match is not None, "asked for sparse types alone"
    kind, fill = np.dtype(match[1]), match[2]
    value = fill == "True" if kind.kind == "b" else kind.type(fill)
    return pandas.SparseDtype(kind, value)


def zoned(column: "pandas.Series", zone: str) -> "pandas.Series":
    """Return times in UTC as times in a zone."""
    return column.dt.tz_localize("UTC").dt.tz_convert(zone_of(zone))


def as_periods(column: "pandas.Series", dtype: str) -> "pandas.Series":
    """Return times as periods of the type of this name, such as "period[M]"."""
    import pandas

    return column.dt.to_period(cast("pandas.PeriodDtype", pandas.PeriodDtype(dtype)).freq)
