"""Frames in and out: what is built from what was read is the frame that was read."""

import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from isthmus.data import frame_building, frames

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
polars_testing = pytest.importorskip("polars.testing")
pyarrow = pytest.importorskip("pyarrow")

repeatable = settings(
    deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
DAYS = st.integers(-719_162, 2_932_896)
FLOATS = st.floats(allow_nan=False, width=32)


def whole(bits, signed=True):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


def ticks(unit):
    """Times of that unit within the years 1 to 9999, and where nanoseconds reach."""
    most = 2**62 if unit == "ns" else 60_000_000_000 * {"s": 1, "ms": 1000, "us": 10**6}[unit]
    return st.integers(-most, most)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
LEVELS = ["", "a", "ä\n", "\U0001f600"]
BERLIN = "Europe/Berlin"

PANDAS = {
    **{f"int{bits}": whole(bits) for bits in (8, 16, 32, 64)},
    **{f"Int{bits}": whole(bits) for bits in (8, 64)},
    **{f"uint{bits}": whole(bits, False) for bits in (8, 64)},
    "UInt64": whole(64, False),
    "float32": FLOATS,
    "float64": st.floats(allow_nan=False),
    "Float64": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "boolean": st.booleans(),
    "str": TEXT,
    "string": TEXT,
    **{f"datetime64[{unit}]": ticks(unit) for unit in ("s", "ms", "us", "ns")},
    f"datetime64[us, {BERLIN}]": ticks("us"),
    "timedelta64[ms]": ticks("ms"),
    "int64[pyarrow]": whole(64),
    "timestamp[us][pyarrow]": ticks("us"),
}
"""Types of pandas, and values of them."""
WITHOUT_GAPS = {"int8", "int16", "int32", "int64", "uint8", "uint64", "bool"}

POLARS = {
    **{f"Int{bits}": whole(bits) for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": whole(bits, False) for bits in (8, 64)},
    "Float32": FLOATS,
    "Float64": st.floats(allow_nan=False),
    "Boolean": st.booleans(),
    "String": TEXT,
    "Categorical": st.sampled_from(LEVELS),
    "Date": DAYS,
    **{f"Datetime {unit}": ticks(unit) for unit in ("ms", "us", "ns")},
    "Duration": ticks("us"),
}

ARROW = {
    **{f"int{bits}": whole(bits) for bits in (8, 64)},
    **{f"uint{bits}": whole(bits, False) for bits in (8, 64)},
    "float32": FLOATS,
    "float64": st.floats(allow_nan=False),
    "bool_": st.booleans(),
    "string": TEXT,
    "large_string": TEXT,
    "date32": DAYS,
}


def column_of_pandas(kind, values):
    if kind.startswith(("datetime", "timedelta")) or kind.startswith("timestamp"):
        unit = kind.split("[")[1][:2].strip("],")
        letter = "m" if kind.startswith("timedelta") else "M"
        stamps = np.array(
            [np.iinfo(np.int64).min if value is None else value for value in values], dtype=np.int64
        ).view(f"{letter}8[{unit}]")
        column = pandas.Series(stamps)
        return column.dt.tz_localize("UTC").dt.tz_convert(BERLIN) if BERLIN in kind else column.astype(kind)
    if kind.startswith("float"):
        values = [np.nan if value is None else value for value in values]
    return pandas.Series(values, dtype=kind)


def column_of_polars(kind, values):
    if kind == "Date":
        return polars.Series(values, dtype=polars.Int32).cast(polars.Date)
    if kind.startswith(("Datetime", "Duration")):
        unit = kind.partition(" ")[2] or "us"
        return polars.Series(values, dtype=polars.Int64).cast(getattr(polars, kind.partition(" ")[0])(unit))
    return polars.Series(values, dtype=getattr(polars, kind))


def rebuilt(frame):
    return frame_building.build(*frames.read(frame), frame)


def tables(kinds, without_gaps=()):
    """Draw tables of 1 to 5 rows with all kinds of columns, and gaps where their types allow them."""

    def column(kind, values, rows):
        cell = values if kind in without_gaps else st.none() | values
        return st.tuples(st.just(kind), st.lists(cell, min_size=rows, max_size=rows))

    return st.integers(1, 5).flatmap(
        lambda rows: st.tuples(*[column(kind, values, rows) for kind, values in kinds.items()])
    )


def filled(columns):
    return {kind: values for kind, values in columns if any(value is not None for value in values)}


def frame_of_pandas(columns):
    return pandas.DataFrame({kind: column_of_pandas(kind, values) for kind, values in filled(columns).items()})


def frame_of_polars(columns):
    return polars.DataFrame({kind: column_of_polars(kind, values) for kind, values in filled(columns).items()})


def table_of_arrow(columns):
    return pyarrow.table(
        {kind: pyarrow.array(values, getattr(pyarrow, kind)()) for kind, values in filled(columns).items()}
    )


@repeatable
@given(tables(PANDAS, WITHOUT_GAPS))
def test_pandas_comes_back(columns):
    frame = frame_of_pandas(columns)
    pandas.testing.assert_frame_equal(rebuilt(frame), frame, check_exact=True)


@repeatable
@given(tables(POLARS))
def test_polars_comes_back(columns):
    frame = frame_of_polars(columns)
    assume(frame.width)
    polars_testing.assert_frame_equal(rebuilt(frame), frame, check_exact=True)


@repeatable
@given(tables(ARROW))
def test_arrow_comes_back(columns):
    table = table_of_arrow(columns)
    assume(table.num_columns)
    assert rebuilt(table).equals(table)


# -- columns that are alone in their kind -----------------------------------------------------------------------------

CATEGORIES = {
    "text": pandas.Categorical(["a", "", None, "a"], categories=["z", "a", ""]),
    "ordered": pandas.Categorical(["a", "", None, "a"], categories=["z", "a", ""], ordered=True),
    "numbers": pandas.Categorical([3, 1, None, 1]),
    "floats": pandas.Categorical([3.5, 1, None, 1]),
    "booleans": pandas.Categorical([True, False, None, True]),
    "none of them": pandas.Categorical([None] * 3, categories=["a"]),
}


@pytest.mark.parametrize("kind", CATEGORIES)
def test_categories_of_pandas(kind):
    frame = pandas.DataFrame({"x": CATEGORIES[kind]})
    pandas.testing.assert_frame_equal(rebuilt(frame), frame)


OBJECTS = {
    "text": ["a", None, ""],
    "booleans": [True, None, False],
    "whole numbers": [1, None, 2**62 + 1],
    "whole numbers without gaps": [1, 2, 2**64 - 1],
    "numbers": [1.5, 2, 3],
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_of_pandas(kind):
    frame = pandas.DataFrame({"x": pandas.Series(OBJECTS[kind], dtype=object)})
    result = rebuilt(frame)["x"]
    assert result.dtype == object
    assert [None if pandas.isna(value) else value for value in result] == OBJECTS[kind]


NOTHING = ["float64", "Int64", "boolean", "object", "datetime64[ms]", f"datetime64[us, {BERLIN}]", "timedelta64[ns]"]


@pytest.mark.parametrize("dtype", [*NOTHING, "timestamp[us][pyarrow]", "string"])
def test_a_column_of_nothing_keeps_its_type(dtype):
    frame = pandas.DataFrame({"x": pandas.Series([None] * 3, dtype=dtype)})
    assert frames.read(frame)[0].fields[0].sort == "nothing"
    assert rebuilt(frame).dtypes["x"] == frame.dtypes["x"]
    assert rebuilt(frame)["x"].isna().all()


@pytest.mark.parametrize(
    "dtype",
    [
        polars.Null,
        polars.Float32,
        polars.String,
        polars.Date,
        polars.Datetime("ms", "UTC"),
        polars.Duration("ns"),
        polars.Enum(["a"]),
        polars.Categorical,
    ],
    ids=str,
)
def test_a_column_of_nothing_in_polars(dtype):
    frame = polars.DataFrame({"x": polars.Series([None] * 3, dtype=dtype)})
    polars_testing.assert_frame_equal(rebuilt(frame), frame)


ARROW_COLUMNS = {
    "nothing": pyarrow.nulls(3),
    "no times": pyarrow.nulls(3, pyarrow.timestamp("us", "UTC")),
    "dictionary": pyarrow.array(["a", None, "ü"]).dictionary_encode(),
    "small dictionary": pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0, 1, None], pyarrow.int8()), pyarrow.array(["a", "b"])
    ),
    "date64": pyarrow.array([0, 86_400_000, None], pyarrow.int64()).cast(pyarrow.date64()),
    **{unit: pyarrow.array([0, -1, None], pyarrow.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
    "zone": pyarrow.array([0, -1, None], pyarrow.timestamp("us", BERLIN)),
    "duration": pyarrow.array([0, -1, None], pyarrow.duration("ms")),
    "half": pyarrow.array(np.array([1, 0.5, -2], dtype=np.float16)),
}


@pytest.mark.parametrize("kind", ARROW_COLUMNS)
def test_types_of_arrow(kind):
    table = pyarrow.table({"x": ARROW_COLUMNS[kind]})
    assert rebuilt(table).equals(table)
    frame = pandas.DataFrame({"x": pandas.arrays.ArrowExtensionArray(ARROW_COLUMNS[kind])})
    assert kind == "nothing" or rebuilt(frame).dtypes["x"] == frame.dtypes["x"]


def test_enums_of_polars():
    frame = polars.DataFrame({"x": polars.Series(["a", None], dtype=polars.Enum(["z", "a"]))})
    polars_testing.assert_frame_equal(rebuilt(frame), frame)
    assert frames.read(frame)[0].fields[0].levels == ("z", "a")


def test_row_labels_and_names_of_any_kind():
    frame = pandas.DataFrame([[1, "a"], [2, "b"]], columns=["y", "x"], index=["r", "s"])
    pandas.testing.assert_frame_equal(rebuilt(frame), frame)
    pandas.testing.assert_frame_equal(frame_building.build(*frames.read(frame)), frame.reset_index(drop=True))


AXES = {
    "levels": pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)]),
    "levels with names": pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["station", None]),
    "a name": pandas.Index(["a", "b"], name="what"),
    "numbers": pandas.RangeIndex(2),
    "numbers with a name": pandas.Index([7, 3], name="year"),
    "times": pandas.date_range("2024-01-01", periods=2, freq="D"),
    "categories": pandas.CategoricalIndex(["b", "a"], name="k"),
}


@pytest.mark.parametrize("axis", AXES)
def test_names_of_columns_and_of_their_axis(axis):
    frame = pandas.DataFrame([[1, "a"], [2, "b"]]).set_axis(AXES[axis], axis=1)
    pandas.testing.assert_frame_equal(rebuilt(frame), frame)
    alone = frame_building.build(*frames.read(frame))
    assert alone.columns.tolist() == frame.columns.tolist()
    assert list(alone.columns.names) == list(frame.columns.names)


def test_columns_as_they_are_in_other_rows():
    """Whatever the library of either, a column that is taken over has the values and, if it can, the type of there."""
    frame = pandas.DataFrame({"x": [1.0, 2.0], "name": ["a", "b"]})
    given = pandas.DataFrame({"name": pandas.Categorical(["c", None]), "x": [5, 6]}, index=["r", "s"])
    schema, cells = frames.read(frame)
    back = frame_building.build(schema, cells, given, [1])
    pandas.testing.assert_series_equal(back["name"], given["name"])
    assert back["x"].tolist() == [1.0, 2.0]
    array = given[["x", "name"]].to_numpy(dtype=object)
    for schema in (frames.read(table)[0] for table in (frame, polars.from_pandas(frame), pyarrow.table(frame))):
        for rows in (given, polars.from_pandas(given), pyarrow.table({"name": ["c", None], "x": [5, 6]}), array):
            found = frames.narwhals().from_native(frame_building.build(schema, cells, rows, [1]), eager_only=True)
            assert [value if isinstance(value, str) else None for value in found["name"].to_list()] == ["c", None]
            assert found["x"].to_list() == [1.0, 2.0]


def test_python_dates_come_back():
    days = [datetime.date(2020, 2, 29), None, datetime.date(1969, 12, 31)]
    moments = [datetime.datetime(2020, 2, 29, 1, 2, 3, 456), datetime.datetime(1, 1, 1), None]
    frame = pandas.DataFrame({"day": days, "moment": pandas.Series(moments, dtype=object)})
    schema, columns = frames.read(frame)
    assert [(field.sort, field.unit) for field in schema.fields] == [("time", "D"), ("time", "us")]
    back = frame_building.build(schema, columns)
    assert back["day"].tolist() == days
    assert back["moment"].tolist() == moments
