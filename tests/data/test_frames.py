"""What is read from frames, and what cannot be read; `test_frame_building` has the way there and back."""

import datetime

import numpy as np
import pytest

from isthmus.data import frames

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")


def test_nan_is_missing():
    frame = polars.DataFrame({"x": [1.0, float("nan"), None]})
    _, (cells,) = frames.read(frame)
    assert cells.missing.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "a"], "column 'x' mixes values of types int, str; make them all of one type"),
        ([True, 2.5], "column 'x' mixes values of types bool, float"),
        ([{"a": 1}, {}], "column 'x' holds values of type dict; make them numbers, text or times, or drop it"),
        ([datetime.time(1)] * 2, "column 'x' holds values of type time"),
        ([1, "a", None], r"pandas.to_numeric\(X\['x'\], errors='coerce'\)"),
        (pandas.Categorical([pandas.Timestamp("2020-01-01")]), "column 'x' has categories of type Timestamp"),
        (pandas.interval_range(0, 2), r"type interval\[int64, right\].*make it a category with X\['x'\].astype"),
        ([1 + 2j, 3], r"type complex128, .*; give X\['x'\].to_numpy\(\).real and .imag as two columns"),
        ([b"a", b"b"], r"column 'x' holds values of type bytes; decode it with X\['x'\].str.decode\('utf-8'\)"),
        (pandas.Series([pandas.Interval(0, 1)] * 2, dtype=object), "column 'x' holds values of type Interval"),
    ],
    ids=str,
)
def test_columns_that_cannot_be_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        frames.read(pandas.DataFrame({"x": values}))


def test_two_columns_of_one_name():
    with pytest.raises(ValueError, match="two columns are called 'x'; give each a name of its own"):
        frames.read(pandas.DataFrame([[1, 2]], columns=["x", "x"]))


@pytest.mark.parametrize("X", [np.ones((2, 2)), [[1, 2]], None, 3, "text", {"a": [1]}], ids=str)
def test_what_is_no_frame(X):
    assert not frames.is_frame(X)


def test_dates_and_moments_are_not_mixed():
    values = [datetime.date(2020, 2, 29), datetime.datetime(2020, 2, 29, 1, 2, 3, 456)]
    with pytest.raises(ValueError, match="column 'x' mixes values of types date, datetime"):
        frames.read(pandas.DataFrame({"x": pandas.Series(values, dtype=object)}))
