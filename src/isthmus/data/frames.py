"""Reading frames: pandas, polars, Arrow tables and whatever else narwhals knows, taken apart column by column.

Reading gives plain arrays (`Cells`) and a `Schema`, from which `isthmus.data.frame_building` can build a frame of the
same kind again.
"""

from collections.abc import Iterator
from datetime import date, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeGuard, cast

import numpy as np

from isthmus.core.extras import MissingExtraError
from isthmus.data.fields import Cells, Field, Level, Name, Schema

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from narwhals.stable.v2 import Datetime, Duration, Enum, Series
    from narwhals.stable.v2.typing import IntoSeries

    FrameSeries: TypeAlias = Series[IntoSeries]

LEVEL_TYPES = (str, int, float, bool)
"""What categories may be; the types of `Level`."""


class Frame(Protocol):
    """A table of named columns: of pandas, polars, Arrow or another library that narwhals knows."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...


def narwhals() -> ModuleType:
    """Return the package narwhals, which knows all kinds of frames.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import narwhals.stable.v2 as found
    except ImportError as error:
        raise MissingExtraError("a table of named columns", "narwhals", "tables") from error
    return found


def is_frame(X: object) -> TypeGuard[Frame]:
    """Whether X is a frame of pandas, polars, Arrow or another library that narwhals knows."""
    kind = type(X)
    if kind.__module__.split(".")[0] in ("numpy", "scipy", "builtins", "torch") or not hasattr(X, "shape"):
        return False
    if not any(hasattr(X, name) for name in ("columns", "column_names", "schema")):
        return False
    return narwhals().dependencies.is_into_dataframe(X)


def columns_of(X: Frame) -> Iterator[tuple[Name, "FrameSeries"]]:
    """Iterate over the columns of a frame: the frame's own name of each, and the column as a series of narwhals.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    if narwhals().dependencies.is_pandas_dataframe(X):
        names = cast("pandas.DataFrame", X).columns
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise ValueError(f"two columns are called {twice!r}; give each a name of its own")
    frame = narwhals().from_native(X, eager_only=True)
    yield from zip(names_of(X), frame.iter_columns(), strict=True)


def names_of(X: Frame) -> list[Name]:
    """Return the names of the columns of a frame, as the frame has them."""
    if narwhals().dependencies.is_pandas_dataframe(X):
        return cast("pandas.DataFrame", X).columns.tolist()
    return narwhals().from_native(X, eager_only=True).columns


def in_order(X: Frame, names: list[Name]) -> Frame:
    """Return a frame with its columns in this order, if it has just these; else the frame as it is."""
    found = names_of(X)
    if found == names or len(found) != len(names) or set(found) != set(names):
        return X
    if narwhals().dependencies.is_pandas_dataframe(X):
        frame = cast("pandas.DataFrame", X)
        return frame.iloc[:, [found.index(name) for name in names]]
    return cast(Frame, narwhals().from_native(X, eager_only=True).select(names).to_native())


def backend_of(X: Frame) -> str:
    """Return the name of the library that a frame belongs to, such as "pandas" or "polars"."""
    return str(narwhals().from_native(X, eager_only=True).implementation.value).lower()


def read(X: Frame) -> tuple[Schema, list[Cells]]:
    """Take a frame apart.

    Raises
    ------
    ValueError
        If a column holds values of several types, or of a type that is neither numbers, categories nor times; the
        message names the column.
    """
    found = [read_column(name, series) for name, series in columns_of(X)]
    return Schema(backend_of(X), tuple(field for field, _ in found)), [cells for _, cells in found]


def read_column(name: Name, series: "FrameSeries") -> tuple[Field, Cells]:
    """Take a column apart, by its type."""
    nw, native = narwhals(), series.to_native()
    dtype = series.dtype
    own = own_type(series)
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if own.removesuffix("[pyarrow]") == "date64[ms]":
        series = series.cast(nw.Datetime("ms"))
        dtype = series.dtype
    if missing.all():
        return nothing(name, own, series), Cells(np.full(len(missing), np.nan), missing)
    if own == "category":
        return read_pandas_category(name, cast("pandas.Series", native), missing)
    if dtype == nw.Object:
        return read_objects(name, own, np.array(native, dtype=object), missing)
    if dtype == nw.Boolean:
        return Field(name, "boolean", own), Cells(filled(series, missing, False, np.bool_), missing)
    if dtype.is_integer():
        wide = np.uint64 if dtype == nw.UInt64 else np.int64
        return Field(name, "integer", own), Cells(filled(series, missing, 0, wide), missing)
    if dtype.is_float():
        values = filled(series, missing, 0.0, np.float64)
        values = np.where(missing, np.nan, values)
        return Field(name, "float", own), Cells(values, np.isnan(values))
    if dtype == nw.String:
        return Field(name, "text", own), Cells(texts(series, missing), missing)
    if dtype in (nw.Categorical, nw.Enum):
        field = Field(name, "category", own, levels=declared_levels(series))
        return field, Cells(texts(series.cast(nw.String), missing), missing)
    if dtype == nw.Date or dtype in (nw.Datetime, nw.Duration):
        return read_times(name, own, series, missing)
    raise ValueError(
        f"column {name!r} holds values of type {own if dtype == nw.Unknown else dtype}, which are neither numbers, "
        "categories nor times; convert it, or drop it"
    )


def own_type(series: "FrameSeries") -> str:
    """Return the type of a column as its own library calls it."""
    native = series.to_native()
    library = type(native).__module__.split(".")[0]
    if library == "pandas":
        return str(cast("pandas.Series", native).dtype)
    return str(cast("pyarrow.Array", native).type) if library == "pyarrow" else type(series.dtype).__name__


def declared_levels(series: "FrameSeries") -> tuple[Level, ...]:
    """Return the categories that the type of a column declares; none for types that declare none."""
    return tuple(cast("Enum", series.dtype).categories) if series.dtype == narwhals().Enum else ()


def time_zone(series: "FrameSeries") -> str | None:
    """Return the time zone that the type of a column declares."""
    return cast("Datetime", series.dtype).time_zone if series.dtype == narwhals().Datetime else None


def time_unit(series: "FrameSeries") -> str:
    """Return the unit of a column of times or durations."""
    return cast("Datetime | Duration", series.dtype).time_unit


def nothing(name: Name, own: str, series: "FrameSeries") -> Field:
    """Return the field of a column whose values are all missing: what its type alone says."""
    nw, dtype = narwhals(), series.dtype
    if own == "category":
        native = cast("pandas.Series", series.to_native())
        return Field(name, "nothing", own, levels=pandas_levels(name, native), ordered=bool(native.cat.ordered))
    if dtype == nw.Enum:
        return Field(name, "nothing", own, levels=declared_levels(series))
    if dtype in (nw.Datetime, nw.Duration):
        return Field(name, "nothing", own, unit=time_unit(series), zone=time_zone(series))
    return Field(name, "nothing", own, unit="D" if dtype == nw.Date else "")


def filled(series: "FrameSeries", missing: np.ndarray, value: float, dtype: type[np.generic]) -> np.ndarray:
    """Return the values of a column as an array of this type, with `value` in place of missing ones."""
    if missing.any():
        series = series.fill_null(value)
    return np.asarray(series.to_numpy(), dtype=dtype)


def texts(series: "FrameSeries", missing: np.ndarray) -> np.ndarray:
    """Return the values of a column of text as objects, with None in place of missing ones."""
    return with_none(np.array(series.to_list(), dtype=object), missing)


def with_none(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Put None in place of missing objects, in the same memory."""
    values[missing] = None
    return values


def read_pandas_category(name: Name, native: "pandas.Series", missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a categorical column of pandas apart, whose categories need not be text."""
    levels = pandas_levels(name, native)
    values = np.array([*levels, None], dtype=object)[native.cat.codes.to_numpy()]
    field = Field(name, "category", "category", levels=levels, ordered=bool(native.cat.ordered))
    return field, Cells(values, missing)


def pandas_levels(name: Name, native: "pandas.Series") -> tuple[Level, ...]:
    """Return the declared categories of a column of pandas; raise a `ValueError` unless they are text or numbers."""
    levels = native.cat.categories.tolist()
    odd = next((level for level in levels if not isinstance(level, LEVEL_TYPES)), None)
    if odd is not None:
        raise ValueError(f"column {name!r} has categories of type {type(odd).__name__}; make them text or numbers")
    return tuple(levels)


def read_objects(name: Name, own: str, values: np.ndarray, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of Python objects (n,) apart, if they are all text, all booleans, all numbers or all times."""
    kinds = {kind_of(value) for value in values[~missing]}
    if kinds == {"boolean"}:
        return Field(name, "boolean", own), Cells(np.where(missing, False, values).astype(bool), missing)
    if kinds == {"number"} and all(isinstance(value, int | np.integer) for value in values[~missing]):
        whole = np.where(missing, 0, values)
        if whole.min() >= -(2**63) and whole.max() < 2**64:
            wide = np.int64 if whole.max() < 2**63 else np.uint64
            if wide is np.int64 or whole.min() >= 0:
                return Field(name, "integer", own), Cells(whole.astype(wide), missing)
    if kinds == {"number"}:
        numbers = np.where(missing, np.nan, values).astype(np.float64)
        return Field(name, "float", own), Cells(numbers, np.isnan(numbers))
    if kinds == {"text"}:
        return Field(name, "text", own), Cells(with_none(values, missing), missing)
    if kinds in ({"date"}, {"moment"}):
        unit = "D" if kinds == {"date"} else "us"
        ticks = np.where(missing, np.datetime64("1970-01-01"), values).astype(f"M8[{unit}]").astype(np.int64)
        return Field(name, "time", own, unit=unit), Cells(ticks, missing)
    types = sorted({type(value).__name__ for value in values[~missing]})
    raise ValueError(
        f"column {name!r} mixes values of types {', '.join(types)}; make them all of one type"
        if len(types) > 1
        else f"column {name!r} holds values of type {types[0]}; make them numbers, text or times, or drop it"
    )


def kind_of(value: object) -> str:
    """Return what a Python object is: "text", "boolean", "number", "date", "moment" or the name of its type.

    A "moment" is a date and time of day without a time zone.
    """
    if isinstance(value, datetime) and value.tzinfo is None:
        return "moment"
    if isinstance(value, date) and not isinstance(value, datetime):
        return "date"
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, int | float | np.integer | np.floating):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def read_times(name: Name, own: str, series: "FrameSeries", missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of dates, times or durations apart: its cells are ticks, those of times since 1970 in UTC."""
    nw, dtype = narwhals(), series.dtype
    zone = time_zone(series)
    if zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    values = np.array(series.to_numpy())
    if values.dtype == object:  # Columns of pandas that have a type of Arrow.
        values[missing] = None
    unit, letter = "D", "M"
    if dtype != nw.Date:
        unit, letter = time_unit(series), "m" if dtype == nw.Duration else "M"
    ticks = values.astype(f"{letter}8[{unit}]").astype(np.int64)
    ticks[missing] = 0
    return Field(name, "duration" if letter == "m" else "time", own, unit=unit, zone=zone), Cells(ticks, missing)
