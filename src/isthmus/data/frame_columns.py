"""Columns of frames: of pandas, polars, Arrow and whatever else narwhals knows, taken apart by their types."""

from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from isthmus.core.extras import MissingExtraError
from isthmus.data import pandas_types
from isthmus.data.decimal_numbers import DecimalNumber
from isthmus.data.fields import Cells, Field, Level, Name
from isthmus.data.objects import read_objects, with_none

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from narwhals.stable.v2 import Datetime, Duration, Enum, Series
    from narwhals.stable.v2.typing import IntoSeries

    FrameSeries: TypeAlias = Series[IntoSeries]


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


def read_column(name: Name, series: "FrameSeries") -> tuple[Field, Cells]:
    """Take a column apart, by its type.

    Raises
    ------
    ValueError
        If it holds values of several types, or of one that cannot be read; the column is named.
    """
    nw, native = narwhals(), series.to_native()
    own, zone = own_type(series), None
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if library_of(native) == "pandas":
        column = cast("pandas.Series", native)
        if own.startswith("category") and not missing.all():
            return read_pandas_category(name, column, missing)
        pandas_types.refuse_type(name, column)
        zone = pandas_types.zone_of_column(name, column)
        series = nw.from_native(pandas_types.common_type(column), series_only=True)
    if own.removesuffix("[pyarrow]") == "date64[ms]":
        series = series.cast(nw.Datetime("ms"))
    zone, form = zone or time_zone(series), decimal_form(series)
    if missing.all():
        return nothing(name, own, series, zone), Cells(np.full(len(missing), np.nan), missing)
    series = series if form is None else as_floats(series)
    return read_by_type(Field(name, "", own, zone=zone, form=form), series, missing)


def read_by_type(field: Field, series: "FrameSeries", missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column apart that has values and is of a type that narwhals knows."""
    nw, dtype, name = narwhals(), series.dtype, field.name
    if dtype == nw.Object:
        return read_objects(name, field.dtype, np.array(series.to_native(), dtype=object), missing)
    if dtype == nw.Boolean:
        return field._replace(sort="boolean"), Cells(filled(series, missing, False, np.bool_), missing)
    if dtype.is_integer():
        wide = np.uint64 if dtype in (nw.UInt64, nw.UInt128) else np.int64
        return field._replace(sort="integer"), Cells(filled(narrow(name, series), missing, 0, wide), missing)
    if dtype.is_float():
        values = np.where(missing, np.nan, filled(series, missing, 0.0, np.float64))
        return field._replace(sort="float"), Cells(values, np.isnan(values))
    if dtype == nw.String:
        return field._replace(sort="text"), Cells(texts(series, missing), missing)
    if dtype in (nw.Categorical, nw.Enum):
        field = field._replace(sort="category", levels=declared_levels(series))
        return field, Cells(texts(series.cast(nw.String), missing), missing)
    if dtype == nw.Date or dtype in (nw.Datetime, nw.Duration):
        return read_times(field, series, missing)
    call = f"decode it with X[{name!r}].cast(polars.String)" if dtype == nw.Binary else "convert it, or drop it"
    raise ValueError(
        f"column {name!r} holds values of type {field.dtype if dtype == nw.Unknown else dtype}, which are neither "
        f"numbers, categories nor times; {call}"
    )


def library_of(native: object) -> str:
    """Return the name of the package that a column or a frame belongs to."""
    return type(native).__module__.split(".")[0]


def own_type(series: "FrameSeries") -> str:
    """Return the type of a column as its own library calls it."""
    native = series.to_native()
    library = library_of(native)
    if library == "pandas":
        column = cast("pandas.Series", native)
        return pandas_types.category_type(column) if str(column.dtype) == "category" else str(column.dtype)
    if library == "pyarrow":
        return str(cast("pyarrow.Array", native).type)
    form = decimal_form(series)
    return type(series.dtype).__name__ if form is None else f"Decimal({form.digits}, {form.places})"


def decimal_form(series: "FrameSeries") -> DecimalNumber | None:
    """Return how a column of Arrow or polars writes decimal numbers; None if it holds other values."""
    native: Any = series.to_native()
    kind = {"pyarrow": "type", "polars": "dtype"}.get(library_of(native))
    found: Any = None if kind is None else getattr(native, kind)
    is_decimal = str(found).lower().startswith("decimal")
    return DecimalNumber(int(found.scale), int(found.precision)) if is_decimal else None


def as_floats(series: "FrameSeries") -> "FrameSeries":
    """Return a column of decimal numbers as floats; narwhals does not know all of Arrow's."""
    nw, native = narwhals(), series.to_native()
    if library_of(native) != "pyarrow":
        return series.cast(nw.Float64)
    return nw.from_native(cast("pyarrow.ChunkedArray", native).cast("double"), series_only=True)


def declared_levels(series: "FrameSeries") -> tuple[Level, ...]:
    """Return the categories that the type of a column declares; none for types that declare none."""
    return tuple(cast("Enum", series.dtype).categories) if series.dtype == narwhals().Enum else ()


def time_zone(series: "FrameSeries") -> str | None:
    """Return the time zone that the type of a column declares."""
    return cast("Datetime", series.dtype).time_zone if series.dtype == narwhals().Datetime else None


def time_unit(series: "FrameSeries") -> str:
    """Return the unit of a column of times or durations."""
    return cast("Datetime | Duration", series.dtype).time_unit


def nothing(name: Name, own: str, series: "FrameSeries", zone: str | None) -> Field:
    """Return the field of a column whose values are all missing: what its type alone says."""
    nw, dtype = narwhals(), series.dtype
    if own.startswith("category"):
        native = cast("pandas.Series", series.to_native())
        levels, ordered = pandas_types.levels_of(name, native), bool(native.cat.ordered)
        return Field(name, "nothing", own, levels=levels, ordered=ordered)
    if dtype == nw.Enum:
        return Field(name, "nothing", own, levels=declared_levels(series))
    if dtype in (nw.Datetime, nw.Duration):
        return Field(name, "nothing", own, unit=time_unit(series), zone=zone)
    return Field(name, "nothing", own, unit="D" if dtype == nw.Date else "")


def narrow(name: Name, series: "FrameSeries") -> "FrameSeries":
    """Return whole numbers of 128 bits with 64 bits.

    Raises
    ------
    ValueError
        If one of them does not fit; the column is named.
    """
    nw = narwhals()
    narrower = {nw.Int128: nw.Int64, nw.UInt128: nw.UInt64}.get(type(series.dtype))
    if narrower is None:
        return series
    limits = np.iinfo(np.int64 if narrower is nw.Int64 else np.uint64)
    if int(series.max()) > limits.max or int(series.min()) < limits.min:
        raise ValueError(
            f"column {name!r} holds whole numbers of more than 64 bits; give X[{name!r}].cast(polars.Float64)"
        )
    return series.cast(narrower)


def filled(series: "FrameSeries", missing: np.ndarray, value: float, dtype: type[np.generic]) -> np.ndarray:
    """Return the values of a column as an array of this type, with `value` in place of missing ones."""
    if missing.any():
        series = series.fill_null(value)
    return np.asarray(series.to_numpy(), dtype=dtype)


def texts(series: "FrameSeries", missing: np.ndarray) -> np.ndarray:
    """Return the values of a column of text as objects, with None in place of missing ones."""
    return with_none(np.array(series.to_list(), dtype=object), missing)


def read_pandas_category(name: Name, native: "pandas.Series", missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a categorical column of pandas apart, whose categories need not be text."""
    levels = pandas_types.levels_of(name, native)
    values = np.array([*levels, None], dtype=object)[native.cat.codes.to_numpy()]
    own = pandas_types.category_type(native)
    return Field(name, "category", own, levels=levels, ordered=bool(native.cat.ordered)), Cells(values, missing)


def read_times(field: Field, series: "FrameSeries", missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of dates, times or durations apart: its cells are ticks, those of times since 1970 in UTC."""
    nw, dtype = narwhals(), series.dtype
    if time_zone(series) is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    values = np.array(series.to_numpy())
    unit, letter = "D", "M"
    if dtype != nw.Date:
        unit, letter = time_unit(series), "m" if dtype == nw.Duration else "M"
    ticks = values.astype(f"{letter}8[{unit}]").astype(np.int64)
    ticks[missing] = 0
    return field._replace(sort="duration" if letter == "m" else "time", unit=unit), Cells(ticks, missing)
