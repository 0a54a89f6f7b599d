"""Cells to numbers and back, exactly."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.data.encoding import codes, decoded, encoded
from isthmus.data.fields import Cells, Field
from isthmus.data.survey import Survey

repeatable = settings(
    deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
TEXT = st.text(max_size=3)
NANOSECONDS = st.integers(-(2**62), 2**62)
SORTS = {
    "float": (Field("float", "float", "float64"), st.floats(-1e150, 1e150), np.float64),
    "integer": (Field("integer", "integer", "int64"), st.integers(-(2**63), 2**63 - 1), np.int64),
    "small": (Field("small", "integer", "int64"), st.integers(-5, 5), np.int64),
    "unsigned": (Field("unsigned", "integer", "uint64"), st.integers(0, 2**64 - 1), np.uint64),
    "boolean": (Field("boolean", "boolean", "bool"), st.booleans(), np.bool_),
    "text": (Field("text", "text", "object"), TEXT, object),
    "category": (
        Field("category", "category", "category", levels=("", "z", "ü")),
        st.sampled_from(["", "z", "ü"]),
        object,
    ),
    "days": (Field("days", "time", "Date", "D"), st.integers(-719_162, 2_932_896), np.int64),
    "seconds": (Field("seconds", "time", "t", "s"), st.integers(-(6 * 10**10), 2 * 10**11), np.int64),
    "microseconds": (Field("microseconds", "time", "t", "us"), st.integers(-(6 * 10**16), 2 * 10**17), np.int64),
    "nanoseconds": (Field("nanoseconds", "time", "t", "ns", "UTC"), NANOSECONDS, np.int64),
    "duration": (Field("duration", "duration", "t", "ns"), NANOSECONDS, np.int64),
}
"""What a column can hold: field, values, and numpy's type of them."""


def cells(values, dtype):
    missing = np.array([value is None for value in values])
    rest = None if dtype is object else 0
    return Cells(np.array([rest if value is None else value for value in values], dtype=dtype), missing)


def surveyed(fields, pieces, kinds=None):
    survey = Survey(kinds or {})
    survey.look(fields, pieces)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "column .*(is ignored|the place of its times)")
        return survey.columns()


def assert_same(one, other):
    np.testing.assert_array_equal(one.missing, other.missing)
    seen = ~one.missing
    assert one.values.dtype.kind == other.values.dtype.kind or seen.sum() == 0 or one.values.dtype.kind in "iu"
    assert one.values[seen].tolist() == other.values[seen].tolist()


def pieces_of(rows, gaps):
    cell = st.none() if gaps == "all" else None
    return st.tuples(
        *[
            st.lists(cell if cell is not None else st.none() | values, min_size=rows, max_size=rows)
            for _, values, _ in SORTS.values()
        ]
    )


@repeatable
@given(st.integers(1, 6).flatmap(lambda rows: pieces_of(rows, "some")))
def test_every_value_comes_back(drawn):
    fields, pieces = [], []
    for values, (field, _, dtype) in zip(drawn, SORTS.values(), strict=True):
        empty = all(value is None for value in values)
        fields.append(field._replace(sort="nothing") if empty else field)
        pieces.append(cells(values, np.float64 if empty else dtype))
    columns = surveyed(fields, pieces)
    raw = encoded(columns, fields, pieces)
    assert raw.dtype == np.float64
    assert raw.shape == (len(drawn[0]), sum(column.numbers for column in columns))
    for one, other in zip(decoded(columns, raw), pieces, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("kind", ["category", "ordinal", "ignored"])
@pytest.mark.parametrize("sort", SORTS)
@repeatable
@given(data=st.data())
def test_every_value_comes_back_as_a_category_or_ignored(kind, sort, data):
    field, values, dtype = SORTS[sort]
    piece = cells(data.draw(st.lists(values, min_size=2, max_size=5)), dtype)
    columns = surveyed([field], [piece], {field.name: kind})
    found = decoded(columns, encoded(columns, [field], [piece]))[0]
    if kind == "ignored" and sort in ("text", "category"):  # of which there may be as many as rows
        assert found.missing.all()
    else:
        assert_same(found, piece)


def test_times_in_another_unit_are_the_same_times():
    field = Field("t", "time", "t", "us")
    seen = cells([0, 86_400_000_000, 1_500_000], np.int64)
    for kind in ("date-time", "category"):
        columns = surveyed([field], [seen], {"t": kind})
        finer = encoded(columns, [field._replace(unit="ns")], [cells([0, 86_400 * 10**9, 1_500 * 10**6], np.int64)])
        np.testing.assert_array_equal(finer, encoded(columns, [field], [seen]))


def test_unknown_categories():
    assert codes(("a", "b"), np.array(["b", "c", "a"], dtype=object)).tolist() == [1, 2, 0]
    field = Field("x", "text", "object")
    column = surveyed([field], [cells(["a", "b", "a"], object)])
    with pytest.warns(
        UserWarning, match=r"column 'x' .* not hold in fit \('c'\), which count as missing, except in the"
    ):
        raw = encoded(column, [field], [cells(["c", None, "b"], object)])
    np.testing.assert_array_equal(raw, [[2], [np.nan], [1]])
    assert decoded(column, raw)[0].missing.tolist() == [True, True, False]
    ordinal = surveyed([field], [cells(["a", "b", "a"], object)], {"x": "ordinal"})
    with pytest.warns(UserWarning, match=r"column 'x' .* \('c', 'd', 'e', 'f', 'g', ...\), which count as missing$"):
        raw = encoded(ordinal, [field], [cells(list("cdefgh"), object)])
    assert np.isnan(raw).all()


NUMBERS = Field("x", "float", "float64")


@pytest.mark.parametrize(
    ("seen", "given", "message"),
    [
        ([1.5, 2.5], [np.inf], "column 'x' has 1 infinite values; make them missing"),
    ],
)
def test_values_that_cannot_be(seen, given, message):
    columns = surveyed([NUMBERS], [cells(seen, np.float64)])
    with pytest.raises(ValueError, match=message):
        encoded(columns, [NUMBERS], [cells(given, np.float64)])


def test_numbers_of_any_size_are_taken_in_use():
    columns = surveyed([NUMBERS], [cells([1.5, 2.5], np.float64)])
    assert encoded(columns, [NUMBERS], [cells([1e300], np.float64)]).tolist() == [[1e300]]
    with pytest.raises(ValueError, match=r"column 'x' has values too large to be squared \(1e\+200\)"):
        surveyed([NUMBERS], [cells([1.5, 1e200], np.float64)])


@pytest.mark.parametrize(
    ("seen", "given", "nearest", "message"),
    [
        (
            [0.0, 1.0],
            2.0,
            1.0,
            "held zeros and ones in fit, and now holds 2, which is taken as 1; if it may hold other numbers, fit",
        ),
        ([0.0, 3.0], -1.0, 0.0, "held whole numbers of at least 0 in fit, and now holds -1, which is taken as 0"),
        ([0.0, 3.0], 1.5, 2.0, "held whole numbers of at least 0 in fit, and now holds 1.5, which is taken as 2"),
    ],
)
def test_values_that_have_no_probability(seen, given, nearest, message):
    columns = surveyed([NUMBERS], [cells(seen, np.float64)])
    with pytest.warns(UserWarning, match=f"column 'x' {message}"):
        raw = encoded(columns, [NUMBERS], [cells([given, *seen], np.float64)])
    np.testing.assert_array_equal(raw[:, 0], [nearest, *seen])


@pytest.mark.parametrize("days", [-719_163, 2_932_898])
def test_times_outside_the_calendar(days):
    field = Field("t", "time", "t", "s")
    columns = surveyed([field], [cells([0, 5], np.int64)])
    with pytest.raises(ValueError, match="column 't' has times outside the years 1 to 9999"):
        encoded(columns, [field], [cells([days * 86_400], np.int64)])
    with pytest.raises(ValueError, match="column 't' has times outside the years 1 to 9999"):
        surveyed([field], [cells([days * 86_400], np.int64)])


ALIKE = [{"float", "integer", "boolean"}, {"text", "category"}, {"time"}, {"duration"}]


@pytest.mark.parametrize("before", ["float", "integer", "boolean", "text", "category", "seconds", "duration"])
@pytest.mark.parametrize("now", ["float", "integer", "boolean", "text", "category", "seconds", "duration"])
def test_another_type_than_in_fit(before, now):
    example = {"float": 1.0, "integer": 1, "boolean": True, "text": "z", "category": "z", "seconds": 1, "duration": 1}
    (field, _, dtype), (other, _, other_dtype) = SORTS[before], SORTS[now]
    columns = surveyed([field], [cells([example[before]] * 2, dtype)])
    given = [other._replace(name="y")], [cells([example[now]], other_dtype)]
    if any({field.sort, other.sort} <= kinds for kinds in ALIKE):
        assert not np.isnan(encoded(columns, *given)).any()
        return
    with pytest.raises(ValueError, match=f"'{field.name}' held {field.sort} values in fit, and now holds {other.sort}"):
        encoded(columns, *given)


def test_a_column_of_nothing_takes_anything():
    nothing = Field("x", "nothing", "float64")
    columns = surveyed([nothing], [cells([None, None], np.float64)])
    for field, _, dtype in SORTS.values():
        raw = encoded(columns, [field], [cells(["a" if dtype is object else 1], dtype)])
        assert np.isnan(raw).all()
