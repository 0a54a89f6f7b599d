"""Building frames: a frame of the same library, with the same names and types, from a schema and cells."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from isthmus.data import pandas_types
from isthmus.data.fields import Cells, Field, Name, Schema
from isthmus.data.forms import written
from isthmus.data.frame_columns import narwhals
from isthmus.data.frames import Frame, backend_of, columns_of, is_frame
from isthmus.data.gaps import is_gap
from isthmus.data.labels import is_pandas, labels_of, pandas_index, with_labels
from isthmus.data.objects import with_none
from isthmus.data.zones import zone_of

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from isthmus.data.frame_columns import FrameSeries


def build(schema: Schema, columns: Sequence[Cells], like: Any = None, given: Collection[int] = ()) -> Frame:
    """Build a frame of the schema's library, with its names and types.

    A whole number or boolean that is missing, where its type has no room for that, turns the column into one of floats
    or of objects.

    Parameters
    ----------
    schema : Schema
        As it was read from a frame.
    columns : sequence of Cells
        The cells of each column of the schema.
    like : frame or array, optional
        Rows, as many. The new frame gets their row labels (an index of pandas), if they have any.
    given : collection of int
        The places of the columns whose values are taken from `like`, as they are there.
    """
    as_given = {place: column_of(like, schema.fields[place].name, place, schema.backend) for place in given}
    if schema.backend == "pandas":
        return build_pandas(schema, columns, like, as_given)
    pairs = list(enumerate(written(field, cells) for field, cells in zip(schema.fields, columns, strict=True)))
    if schema.backend == "pyarrow":
        import pyarrow

        names = [field.name for field in schema.fields]
        parts = [as_given[place] if place in as_given else arrow_column(*pair) for place, pair in pairs]
        return with_labels(pyarrow.table(parts, names=names), labels_of(like))
    nw = narwhals()
    series = [
        nw.from_native(as_given[place], series_only=True) if place in as_given else other_column(schema.backend, *pair)
        for place, pair in pairs
    ]
    return nw.from_dict({str(field.name): part for field, part in zip(schema.fields, series, strict=True)}).to_native()


def column_of(like: Any, name: Name, place: int, backend: str) -> Any:
    """Return a column of rows as a column of that library: by its name from a frame, by its place from an array."""
    nw = narwhals()
    if not is_frame(like):
        values = [None if is_gap(value) else value for value in np.asarray(like)[:, place].tolist()]
        return nw.new_series(str(name), values, backend=backend).to_native()
    series = dict(columns_of(like))[name]
    if backend_of(like) == backend:
        return series.to_native()
    if backend == "pandas":
        return series.to_pandas()
    return series.to_arrow() if backend == "pyarrow" else series.to_polars()


def build_pandas(
    schema: Schema, columns: Sequence[Cells], like: Any, as_given: Mapping[int, Any]
) -> "pandas.DataFrame":
    """Build a frame of pandas."""
    import pandas

    parts = [
        as_given[place].reset_index(drop=True) if place in as_given else pandas.Series(pandas_column(*written(*pair)))
        for place, pair in enumerate(zip(schema.fields, columns, strict=True))
    ]
    frame = pandas.concat(parts, axis=1, keys=range(len(parts)))
    frame.columns = column_axis(schema, like)
    index = pandas_index(like)
    return frame if index is None else frame.set_axis(index, axis=0)


def column_axis(schema: Schema, like: Any) -> "pandas.Index":
    """Return the names of the columns as pandas has them: the index of `like`, if it has the same ones."""
    import pandas

    names = [field.name for field in schema.fields]
    if is_pandas(like) and like.columns.tolist() == names:
        return like.columns
    found = pandas.Index(names)
    return found.set_names(list(schema.axis_names)) if schema.axis_names else found


def time_objects(field: Field, cells: Cells) -> np.ndarray:
    """Return times as Python's dates, or dates and times of day, and durations; None in place of missing ones."""
    letter = "m" if field.sort == "duration" else "M"
    objects = with_none(cells.values.astype(f"{letter}8[{field.unit}]").astype(object), cells.missing)
    if field.zone:
        zone, seen = zone_of(field.zone), ~cells.missing
        objects[seen] = [moment.replace(tzinfo=UTC).astimezone(zone) for moment in objects[seen]]
    return objects


def pandas_column(field: Field, cells: Cells) -> "pandas.Series | pandas.Categorical":
    """Return a column as pandas has it."""
    import pandas

    values, missing = cells
    if field.dtype.endswith("[pyarrow]"):
        return pandas.Series(pandas.arrays.ArrowExtensionArray(arrow_column(field, cells)))
    if field.sort in ("time", "duration") or field.zone:  # zones of dateutil have no type that a text names
        return pandas_times(field, cells)
    objects = values.astype(object)
    objects[missing] = None
    if field.dtype.startswith("category"):
        return pandas_category(field, objects)
    if field.dtype.startswith("Sparse["):
        known = pandas.Series(np.where(missing, np.nan, values) if missing.any() else values)
        # Whole numbers and booleans have no room for a gap.
        return known if missing.any() and field.sort != "float" else known.astype(pandas_types.sparse_type(field.dtype))
    dtype = pandas.api.types.pandas_dtype(field.dtype)
    if not isinstance(dtype, np.dtype) or field.sort in ("text", "nothing"):
        return pandas.Series(objects, dtype=dtype)
    if not missing.any() or field.sort == "float":
        return pandas.Series(values).astype(dtype)
    if field.sort == "boolean" or dtype.kind == "O":
        return pandas.Series(objects, dtype=object)
    return pandas.Series(np.where(missing, np.nan, values))


def pandas_category(field: Field, objects: np.ndarray) -> "pandas.Categorical":
    """Return a column of categories, which are intervals if its type says so, as pandas has it."""
    import pandas

    if field.dtype == "category":
        return pandas.Categorical(objects, categories=list(field.levels), ordered=field.ordered)
    codes = {level: code for code, level in enumerate(field.levels)}
    categories = pandas_types.intervals([str(level) for level in field.levels], field.dtype)
    known = [-1 if value is None else codes[value] for value in objects]
    return pandas.Categorical.from_codes(known, categories=categories, ordered=field.ordered)


def pandas_times(field: Field, cells: Cells) -> "pandas.Series":
    """Return a column of times or durations as pandas has it."""
    import pandas

    if field.dtype == "object":
        return pandas.Series(time_objects(field, cells), dtype=object)
    ticks = np.where(cells.missing, 0, cells.values).astype(np.int64)
    stamps = ticks.astype(f"{'m' if field.sort == 'duration' else 'M'}8[{field.unit}]")
    stamps[cells.missing] = np.timedelta64("NaT") if field.sort == "duration" else np.datetime64("NaT")
    column = pandas.Series(stamps)
    if field.dtype.startswith("period["):
        return pandas_types.as_periods(column, field.dtype)
    return pandas_types.zoned(column, field.zone) if field.zone else column


def arrow_type(name: str) -> "pyarrow.DataType":
    """Return the Arrow type of this name."""
    import pyarrow

    coded = re.fullmatch(r"dictionary<values=(.*), indices=(\w+), ordered=(\d)>", name)
    if coded:
        values, indices, ordered = coded.groups()
        return pyarrow.dictionary(arrow_type(indices), arrow_type(values), ordered == "1")
    decimal = re.fullmatch(r"(decimal\d+)\((\d+), (-?\d+)\)", name)
    if decimal:
        return getattr(pyarrow, decimal[1])(int(decimal[2]), int(decimal[3]))
    zoned = re.fullmatch(r"timestamp\[(\w+), tz=(.*)\]", name)
    return pyarrow.timestamp(*zoned.groups()) if zoned else pyarrow.type_for_alias(name)


def arrow_column(field: Field, cells: Cells) -> "pyarrow.Array":
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


def other_column(backend: str, field: Field, cells: Cells) -> "FrameSeries":
    """Return a column as a series of narwhals, of another library than pandas and Arrow."""
    nw = narwhals()
    if field.sort == "nothing":
        return empty_column(backend, field, len(cells.missing))
    values: np.ndarray | list[object] = cells.values
    if cells.missing.any():
        values = with_none(cells.values.astype(object), cells.missing).tolist()
    if field.sort == "time" and field.unit != "D":
        series = nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Datetime(field.unit))
        return series.dt.replace_time_zone("UTC").dt.convert_time_zone(field.zone) if field.zone else series
    if field.sort == "time":
        return nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Int32).cast(nw.Date)
    if field.sort == "duration":
        return nw.new_series(field.name, values, nw.Int64, backend=backend).cast(nw.Duration(field.unit))
    if field.dtype.startswith("Decimal("):
        return polars_decimals(field, list(values))
    kind = nw.Enum(list(field.levels)) if field.dtype == "Enum" else getattr(nw, field.dtype)
    if field.sort in ("text", "category"):
        series = nw.new_series(field.name, list(values), nw.String, backend=backend)
        return series if field.dtype == "String" else series.cast(kind)
    return nw.new_series(field.name, values, kind, backend=backend)


def empty_column(backend: str, field: Field, rows: int) -> "FrameSeries":
    """Return a column whose values are all missing, as a series of narwhals."""
    nw = narwhals()
    series = nw.new_series(field.name, [None] * rows, backend=backend)
    if field.dtype == "Unknown":
        return series
    if field.dtype.startswith("Decimal("):
        return polars_decimals(field, [None] * rows)
    known = {"Datetime": (field.unit, field.zone), "Duration": (field.unit,), "Enum": (list(field.levels),)}
    kind = getattr(nw, field.dtype)
    return series.cast(kind(*known[field.dtype]) if field.dtype in known else kind)


def polars_decimals(field: Field, values: list[object]) -> "FrameSeries":
    """Return a column of decimal numbers as polars has it."""
    import polars

    digits, places = re.findall(r"\d+", field.dtype)
    native = polars.Series(str(field.name), values, dtype=polars.Decimal(int(digits), int(places)))
    return narwhals().from_native(native, series_only=True)


def to_arrow(frame: Frame) -> "pyarrow.Table":
    """Return a frame as a table of Arrow, without row labels."""
    return cast("pyarrow.Table", narwhals().from_native(frame, eager_only=True).to_arrow())
