"""Frames at the boundary: pandas, polars, Arrow tables and whatever else narwhals knows, in and out, column by column.

Reading gives plain arrays, and a `Schema` from which a frame of the same kind can be built again.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from isthmus.core.extras import MissingExtraError

TICKS_A_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""Units of time, and how many of each a day has."""
LEVEL_TYPES = (str, int, float, bool)
"""What categories can be, so that a model file can hold them."""


class Field(NamedTuple):
    """What a column of a frame holds, apart from its values."""

    name: Any
    sort: str
    """"float", "integer", "boolean", "text", "category", "time", "duration", or "nothing" where all is missing."""
    dtype: str
    """The frame's own name of its type."""
    unit: str = ""
    """Of times and durations: "D", "s", "ms", "us" or "ns"."""
    zone: str | None = None
    levels: tuple[Any, ...] = ()
    """Declared categories, in their order."""
    ordered: bool = False


class Schema(NamedTuple):
    """Which kind of frame it was, and its columns."""

    backend: str
    """"pandas", "polars" or "pyarrow"."""
    fields: tuple[Field, ...]


class Cells(NamedTuple):
    """The values of a column, (n,), and which of them are missing, (n,) of bool.

    Floats, whole numbers, booleans, text (objects), or ticks of the field's unit (times since 1970, UTC).
    """

    values: np.ndarray
    missing: np.ndarray


def narwhals() -> ModuleType:
    """Return the package that knows all kinds of frames."""
    try:
        import narwhals.stable.v2 as found
    except ImportError as error:
        raise MissingExtraError("a table of named columns", "narwhals", "tables") from error
    return found


def is_frame(X: Any) -> bool:
    """Whether X is a table of columns of pandas, polars, Arrow or another kind that narwhals knows."""
    kind = type(X)
    if kind.__module__.split(".")[0] in ("numpy", "scipy", "builtins", "torch") or not hasattr(X, "shape"):
        return False
    if not any(hasattr(X, name) for name in ("columns", "column_names", "schema")):
        return False
    return narwhals().dependencies.is_into_dataframe(X)


def columns_of(X: Any) -> Iterator[tuple[Any, Any]]:
    """Pass over the columns of a frame: its own name of each, and narwhals' series.

    Raises
    ------
    ValueError
        For two columns of the same name.
    """
    if type(X).__module__.startswith("pandas") and not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()][0]
        raise ValueError(f"two columns are called {twice!r}; give each a name of its own")
    frame = narwhals().from_native(X, eager_only=True)
    yield from zip(names_of(X), frame.iter_columns(), strict=True)


def names_of(X: Any) -> list[Any]:
    """Return the names of the columns of a frame, as they are there."""
    if type(X).__module__.startswith("pandas"):
        return X.columns.tolist()
    return narwhals().from_native(X, eager_only=True).columns


def backend_of(X: Any) -> str:
    """Return which library a frame is of, for building another."""
    name = narwhals().from_native(X, eager_only=True).implementation
    return str(name.value if hasattr(name, "value") else name).lower()


def read(X: Any) -> tuple[Schema, list[Cells]]:
    """Take a frame apart.

    Raises
    ------
    ValueError
        For a column of a type that has no numbers, categories or times, or of several types: with its name.
    """
    found = [read_column(name, series) for name, series in columns_of(X)]
    return Schema(backend_of(X), tuple(field for field, _ in found)), [cells for _, cells in found]


def read_column(name: Any, series: Any) -> tuple[Field, Cells]:
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
        return read_pandas_category(name, native, missing)
    if dtype == nw.Object:
        return read_objects(name, own, native, missing)
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
        levels = tuple(dtype.categories) if dtype == nw.Enum else ()
        return Field(name, "category", own, levels=levels), Cells(texts(series.cast(nw.String), missing), missing)
    if dtype == nw.Date or dtype in (nw.Datetime, nw.Duration):
        return read_times(name, own, series, missing)
    raise ValueError(
        f"column {name!r} holds values of type {own if dtype == nw.Unknown else dtype}, which are neither numbers, "
        "categories nor times: convert it, or drop it"
    )


def own_type(series: Any) -> str:
    """Return the frame's own name of a column's type."""
    native = series.to_native()
    library = type(native).__module__.split(".")[0]
    if library == "pandas":
        return str(native.dtype)
    return str(native.type) if library == "pyarrow" else type(series.dtype).__name__


def nothing(name: Any, own: str, series: Any) -> Field:
    """Describe a column of which all is missing: all that its type says."""
    nw, dtype = narwhals(), series.dtype
    if own == "category":
        native = series.to_native()
        return Field(name, "nothing", own, levels=pandas_levels(name, native), ordered=bool(native.cat.ordered))
    if dtype == nw.Enum:
        return Field(name, "nothing", own, levels=tuple(dtype.categories))
    if dtype in (nw.Datetime, nw.Duration):
        return Field(name, "nothing", own, unit=dtype.time_unit, zone=getattr(dtype, "time_zone", None))
    return Field(name, "nothing", own, unit="D" if dtype == nw.Date else "")


def filled(series: Any, missing: np.ndarray, value: Any, dtype: Any) -> np.ndarray:
    """Return the values of a column as numpy has them, with `value` where they are missing."""
    if missing.any():
        series = series.fill_null(value)
    return np.asarray(series.to_numpy(), dtype=dtype)


def texts(series: Any, missing: np.ndarray) -> np.ndarray:
    """Return the values of a column of text as objects, None where they are missing."""
    return without(np.array(series.to_list(), dtype=object), missing)


def without(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Put None in the place of objects that are missing."""
    values[missing] = None
    return values


def read_pandas_category(name: Any, native: Any, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a categorical column of pandas apart, whose categories may be other things than text."""
    levels = pandas_levels(name, native)
    values = np.array([*levels, None], dtype=object)[native.cat.codes.to_numpy()]
    field = Field(name, "category", "category", levels=levels, ordered=bool(native.cat.ordered))
    return field, Cells(values, missing)


def pandas_levels(name: Any, native: Any) -> tuple[Any, ...]:
    """Return the declared categories of a column of pandas, if they are text or numbers."""
    levels = native.cat.categories.tolist()
    odd = next((level for level in levels if not isinstance(level, LEVEL_TYPES)), None)
    if odd is not None:
        raise ValueError(f"column {name!r} has categories of type {type(odd).__name__}; make them text or numbers")
    return tuple(levels)


def read_objects(name: Any, own: str, native: Any, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of Python objects apart, if they are all text, all booleans or all numbers."""
    values = np.array(native, dtype=object)
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
        return Field(name, "text", own), Cells(without(values, missing), missing)
    if kinds in ({"date"}, {"moment"}):
        unit = "D" if kinds == {"date"} else "us"
        ticks = np.where(missing, np.datetime64("1970-01-01"), values).astype(f"M8[{unit}]").astype(np.int64)
        return Field(name, "time", own, unit=unit), Cells(ticks, missing)
    types = sorted({type(value).__name__ for value in values[~missing]})
    raise ValueError(
        f"column {name!r} mixes values of types {', '.join(types)}: make them all of one type"
        if len(types) > 1
        else f"column {name!r} holds values of type {types[0]}: make them numbers, text or times, or drop it"
    )


def kind_of(value: Any) -> str:
    """Say what a Python object is: "text", "boolean", "number", "date", "moment" (without a zone) or something else."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return "moment"
    if isinstance(value, date) and not isinstance(value, datetime):
        return "date"
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, int | float | np.integer | np.floating):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def read_times(name: Any, own: str, series: Any, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of dates, times or durations apart: ticks since 1970, UTC, or ticks."""
    nw, dtype = narwhals(), series.dtype
    zone = getattr(dtype, "time_zone", None)
    if zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    values = np.array(series.to_numpy())
    if values.dtype == object:  # pandas, of Arrow's types
        values[missing] = None
    unit, letter = "D", "M"
    if dtype != nw.Date:
        unit, letter = dtype.time_unit, "m" if dtype == nw.Duration else "M"
    ticks = values.astype(f"{letter}8[{unit}]").astype(np.int64)
    ticks[missing] = 0
    return Field(name, "duration" if letter == "m" else "time", own, unit=unit, zone=zone), Cells(ticks, missing)


def merged(field: Field, other: Field) -> Field:
    """Return what two pieces of a column hold together.

    Raises
    ------
    ValueError
        If they are of types that do not go together, with the column's name.
    """
    sorts = {field.sort, other.sort}
    if field.sort == other.sort:
        if field.sort == "time" and field.unit != other.unit:
            raise ValueError(f"column {field.name!r} has times in {field.unit} and in {other.unit}; take one unit")
        levels = tuple(dict.fromkeys([*field.levels, *other.levels]))
        return field._replace(levels=levels)
    if "nothing" in sorts:
        return field if other.sort == "nothing" else other
    if sorts == {"integer", "float"}:
        return field if field.sort == "float" else other
    if sorts == {"text", "category"}:
        return field
    raise ValueError(f"column {field.name!r} holds {field.sort} values in one place and {other.sort} values in another")


def build(schema: Schema, columns: Sequence[Cells], like: Any = None) -> Any:
    """Put a frame together: of the schema's kind, with its names and types.

    `like` is a frame of as many rows, whose row labels (pandas' index) the new one shall have.

    A whole number or boolean that is missing where the type has no room for that makes the column one of floats or of
    objects.
    """
    if schema.backend == "pandas":
        import pandas

        index = like.index if isinstance(like, pandas.DataFrame) else None
        names = [field.name for field in schema.fields]
        parts = [pandas_column(field, cells) for field, cells in zip(schema.fields, columns, strict=True)]
        frame = pandas.concat([pandas.Series(part) for part in parts], axis=1, keys=range(len(parts)))
        frame.columns = pandas.Index(names)
        return frame if index is None else frame.set_axis(index, axis=0)
    if schema.backend == "pyarrow":
        import pyarrow

        parts = [arrow_column(field, cells) for field, cells in zip(schema.fields, columns, strict=True)]
        return pyarrow.table(parts, names=[field.name for field in schema.fields])
    nw = narwhals()
    parts = [other_column(schema.backend, field, cells) for field, cells in zip(schema.fields, columns, strict=True)]
    return nw.from_dict({part.name: part for part in parts}).to_native()


def time_objects(field: Field, cells: Cells) -> np.ndarray:
    """Return times as Python's dates, or dates and times of day; None where they are missing."""
    return without(cells.values.astype(f"M8[{field.unit}]").astype(object), cells.missing)


def pandas_column(field: Field, cells: Cells) -> Any:
    """Return a column as pandas has it."""
    import pandas

    values, missing = cells
    if field.dtype.endswith("[pyarrow]"):
        return pandas.Series(pandas.arrays.ArrowExtensionArray(arrow_column(field, cells)))
    if field.sort in ("time", "duration"):
        stamps = values.astype(f"{'M' if field.sort == 'time' else 'm'}8[{field.unit}]")
        stamps[missing] = np.datetime64("NaT") if field.sort == "time" else np.timedelta64("NaT")
        if field.dtype == "object":
            return pandas.Series(time_objects(field, cells), dtype=object)
        column = pandas.Series(stamps)
        return column.dt.tz_localize("UTC").dt.tz_convert(field.zone) if field.zone else column
    objects = values.astype(object)
    objects[missing] = None
    if field.dtype == "category":
        return pandas.Categorical(objects, categories=list(field.levels), ordered=field.ordered)
    dtype = pandas.api.types.pandas_dtype(field.dtype)
    if not isinstance(dtype, np.dtype) or field.sort in ("text", "nothing"):
        return pandas.Series(objects, dtype=dtype)
    if not missing.any() or field.sort == "float":
        return pandas.Series(values).astype(dtype)
    if field.sort == "boolean" or dtype.kind == "O":
        return pandas.Series(objects, dtype=object)
    return pandas.Series(np.where(missing, np.nan, values))


def arrow_type(name: str) -> Any:
    """Return the type of Arrow that calls itself so."""
    import pyarrow

    coded = re.fullmatch(r"dictionary<values=(.*), indices=(\w+), ordered=(\d)>", name)
    if coded:
        values, indices, ordered = coded.groups()
        return pyarrow.dictionary(arrow_type(indices), arrow_type(values), ordered == "1")
    zoned = re.fullmatch(r"timestamp\[(\w+), tz=(.*)\]", name)
    return pyarrow.timestamp(*zoned.groups()) if zoned else pyarrow.type_for_alias(name)


def arrow_column(field: Field, cells: Cells) -> Any:
    """Return a column as Arrow has it."""
    import pyarrow

    values, missing = cells
    kind = arrow_type(field.dtype.removesuffix("[pyarrow]"))
    if field.sort == "nothing":
        return pyarrow.nulls(len(missing), kind)
    if field.sort in ("time", "duration"):
        ticks = pyarrow.array(values, mask=missing)
        return (ticks.cast(pyarrow.int32()) if field.unit == "D" else ticks).cast(kind)
    if pyarrow.types.is_dictionary(kind):
        return pyarrow.array(values, kind.value_type, mask=missing).dictionary_encode().cast(kind)
    return pyarrow.array(values, mask=missing).cast(kind) if values.dtype != object else pyarrow.array(values, kind)


def other_column(backend: str, field: Field, cells: Cells) -> Any:
    """Return a column as narwhals' series of another library."""
    nw = narwhals()
    values: Any = cells.values
    if cells.missing.any():
        values = values.astype(object)
        values[cells.missing] = None
        values = values.tolist()
    kind = getattr(nw, field.dtype)
    if field.sort == "nothing":
        known = {"Datetime": (field.unit, field.zone), "Duration": (field.unit,), "Enum": (list(field.levels),)}
        kind = kind(*known[field.dtype]) if field.dtype in known else kind
        series = nw.new_series(field.name, [None] * len(cells.missing), backend=backend)
        return series if field.dtype == "Unknown" else series.cast(kind)
    if field.sort == "time" and field.unit != "D":
        series = nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Datetime(field.unit))
        return series.dt.replace_time_zone("UTC").dt.convert_time_zone(field.zone) if field.zone else series
    if field.sort == "time":
        return nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Int32).cast(nw.Date)
    if field.sort == "duration":
        return nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Duration(field.unit))
    if field.dtype == "Enum":
        kind = nw.Enum(list(field.levels))
    if field.sort in ("text", "category"):
        listed = values if isinstance(values, list) else values.tolist()
        series = nw.new_series(field.name, listed, nw.String, backend=backend)
        return series if field.dtype == "String" else series.cast(kind)
    return nw.new_series(field.name, values, kind, backend=backend)


def to_arrow(frame: Any) -> Any:
    """Return a frame as a table of Arrow's, without row labels."""
    return narwhals().from_native(frame, eager_only=True).to_arrow()
