"""Columns of unusual types, there and back: the frame that comes back has the types and the values of the one given."""

import datetime
import zoneinfo
from decimal import Decimal

import numpy as np
import pytest

from isthmus.data import frame_building, frames

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
dateutil_tz = pytest.importorskip("dateutil.tz")

ZONES = sorted(zoneinfo.available_timezones())
MOMENTS = pandas.Series(pandas.date_range("2024-03-30 22:30", periods=5, freq="7h", tz="UTC").as_unit("us"))
TICKS = MOMENTS.dt.tz_localize(None).to_numpy().astype("M8[us]").astype(np.int64)
NUMBERS = np.array([1.5, -2.25, 0.0, 7.0])


def rebuilt(frame):
    return frame_building.build(*frames.read(frame), frame)


def assert_comes_back(frame):
    found = rebuilt(frame)
    assert found.dtypes.tolist() == frame.dtypes.tolist()
    assert found.equals(frame)


def test_all_zones_of_pandas():
    frame = pandas.DataFrame({zone: MOMENTS.dt.tz_convert(zone) for zone in ZONES})
    schema, cells = frames.read(frame)
    assert [field.zone for field in schema.fields] == ZONES
    assert all((piece.values == TICKS).all() for piece in cells)
    assert_comes_back(frame)


def test_all_zones_of_pandas_with_types_of_arrow():
    frame = pandas.DataFrame(
        {
            zone: MOMENTS.astype(pandas.ArrowDtype(pyarrow.timestamp("us", zone)))
            for zone in [*ZONES, "+05:30", "-03:30"]
        }
    )
    schema, cells = frames.read(frame)
    assert {field.sort for field in schema.fields} == {"time"}
    assert all((piece.values == TICKS).all() for piece in cells)
    assert_comes_back(frame)


def test_all_zones_of_polars_and_arrow():
    plain = polars.DataFrame({"t": TICKS}).select(polars.col("t").cast(polars.Datetime("us", "UTC")))
    known = [zone for zone in ZONES if zone not in ("localtime", "Factory")]
    frame = plain.select(polars.col("t").dt.convert_time_zone(zone).alias(zone) for zone in known)
    assert rebuilt(frame).equals(frame)
    assert rebuilt(frame).schema == frame.schema
    table = pyarrow.table(
        {zone: pyarrow.array(TICKS).cast(pyarrow.timestamp("us", zone)) for zone in [*known, "+05:30", "-03:30"]}
    )
    assert all((piece.values == TICKS).all() for piece in frames.read(table)[1])
    assert rebuilt(table).equals(table)


@pytest.mark.parametrize(
    "zone",
    [
        "UTC+05:30",
        "-03:30",
        datetime.timezone(datetime.timedelta(hours=5, minutes=45)),
        datetime.UTC,
        zoneinfo.ZoneInfo("America/New_York"),
        "dateutil/America/Sao_Paulo",
        dateutil_tz.tzutc(),
        dateutil_tz.tzoffset(None, 3600),
    ],
    ids=str,
)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_zones_of_other_kinds(zone, unit):
    column = MOMENTS.dt.as_unit(unit).dt.tz_convert(zone).where(np.arange(5) != 2)
    assert_comes_back(pandas.DataFrame({"t": column, "all gone": column.where(np.zeros(5, dtype=bool))}))


def test_times_with_a_zone_that_are_objects():
    for zone in (zoneinfo.ZoneInfo("America/New_York"), datetime.timezone(datetime.timedelta(hours=5.5))):
        moments = [datetime.datetime(2024, 3, day, 12, tzinfo=zone) for day in (9, 10, 11)]
        frame = pandas.DataFrame({"t": pandas.Series([*moments, None], dtype=object)})
        found = rebuilt(frame)["t"].tolist()
        assert found == [*moments, None]
        assert [moment.utcoffset() for moment in found[:3]] == [moment.utcoffset() for moment in moments]


def sparse(values, fill):
    return pandas.arrays.SparseArray(values, fill_value=fill)


@pytest.mark.parametrize(
    "values",
    [
        NUMBERS.astype(">f8"),
        NUMBERS.astype(">f4"),
        np.arange(4).astype(">i4"),
        NUMBERS.astype(np.longdouble),
        NUMBERS.astype(np.float16),
        sparse(NUMBERS, 0.0),
        sparse(NUMBERS, np.nan),
        sparse([0, 0, 3, 1], 0),
        sparse([True, False, False, True], False),
        pandas.period_range("2020-01", periods=4, freq="M"),
        pandas.period_range("2020-01", periods=4, freq="W-SUN"),
        pandas.period_range("2020-01", periods=4, freq="Q"),
        pandas.cut(NUMBERS, 3),
        pandas.cut(NUMBERS, [0.0, 0.1, 100.0]),
        pandas.interval_range(0, 4).astype("category"),
        pandas.array([Decimal("1.50"), None, Decimal("-3.25"), Decimal("0.00")], dtype=object),
        pandas.array([1.5, None, -3.25, 0], dtype=pandas.ArrowDtype(pyarrow.decimal128(10, 2))),
        pandas.array([None] * 4, dtype=pandas.ArrowDtype(pyarrow.decimal128(10, 2))),
        pandas.array([datetime.timedelta(hours=1), None] * 2, dtype=object),
        pandas.array([1.5, None] * 2, dtype=pandas.ArrowDtype(pyarrow.float16())),
    ],
    ids=lambda values: str(values.dtype)[:40],
)
def test_types_of_pandas(values):
    frame = pandas.DataFrame({"x": values})
    assert_comes_back(frame)


def test_the_order_of_intervals_is_kept():
    (field,), (cells,) = frames.read(pandas.DataFrame({"x": pandas.cut(NUMBERS, 3)}))[0].fields, [None]
    assert (field.sort, field.ordered, len(field.levels), cells) == ("category", True, 3, None)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, None, -3], polars.Int128),
        ([1, 2**63, 3], polars.UInt128),
        ([Decimal("1.50"), None, Decimal("-3.25")], polars.Decimal(10, 2)),
        ([Decimal(3), Decimal(4)], polars.Decimal(38, 0)),
        ([None, None], polars.Decimal(10, 2)),
        ([None, None], polars.Int128),
        ([1.5, None], polars.Float16),
    ],
    ids=str,
)
def test_types_of_polars(values, dtype):
    frame = polars.DataFrame({"x": polars.Series(values, dtype=dtype)})
    found = rebuilt(frame)
    assert found.schema == frame.schema
    assert found.equals(frame)


@pytest.mark.parametrize(
    "kind", [pyarrow.decimal128(10, 2), pyarrow.decimal256(40, 3), pyarrow.decimal32(5, 1), pyarrow.float16()], ids=str
)
def test_types_of_arrow(kind):
    table = pyarrow.table({"x": pyarrow.array([1.5, None, -3.5], pyarrow.float64()).cast(kind)})
    nothing = pyarrow.table({"x": pyarrow.nulls(3, kind)})
    for frame in (table, nothing):
        assert rebuilt(frame).equals(frame)


def test_whole_numbers_that_are_too_large_are_named():
    frame = polars.DataFrame({"x": polars.Series([2**70, 1], dtype=polars.Int128)})
    with pytest.raises(ValueError, match=r"column 'x' holds whole numbers of more than 64 bits; give X\['x'\].cast"):
        frames.read(frame)


def test_bytes_are_named():
    with pytest.raises(ValueError, match=r"type Binary, .*decode it with X\['x'\].cast\(polars.String\)"):
        frames.read(polars.DataFrame({"x": [b"a"]}))
