import datetime as dt
from decimal import Decimal

import pytest

from isthmus.data.files.value_types import ValueColumns


def read(*blocks):
    types = ValueColumns("a.db", ["x"])
    for _ in range(3):
        found = [types.converted({"x": block}) for block in blocks]
        if types.settled():
            return [value for table in found for value in table["x"].to_pylist()], types
    raise AssertionError


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, None, 2.5], [1, None, 2.5]),
        ([1, "n/a", 2], [1, None, 2]),
        ([1, "x"], ["1", "x"]),
        ([2**70, 1], [str(2**70), "1"]),
        ([dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3)], [dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 2, 3)]),
        ([True, 2], ["true", "2"]),
        ([Decimal("1.5"), 1], [1.5, 1]),
        (["", None, "NA", "b"], [None, None, "NA", "b"]),
        ([None, "-"], [None, None]),
    ],
)
def test_values_get_a_type_that_holds_them_all(values, found):
    assert read(values)[0] == found
    for cut in range(1, len(values)):
        assert read(values[:cut], values[cut:])[0] == found


def test_several_types_are_told():
    assert read([1, "x"])[1].told() == ["column 'x' holds values of several types, and is read as text"]


def test_bytes_are_refused():
    with pytest.raises(ValueError, match=r"column 'x' of a.db holds bytes values"):
        read([b"x"])
