"""Dimensions: what a user may write, and how a journal records values."""

import pytest

from isthmus import L1
from isthmus.tasks.tuning.dimension import dimension, dimensions, shown


@pytest.mark.parametrize(
    ("given", "value", "outside"),
    [
        ((1, 8), 3, 9),
        ((1, 8), 8, 2.5),
        ((1e-4, 1e-2, "log"), 1e-3, "auto"),
        ([(128,), (256, 64)], (256, 64), (128, 64)),
        ([None, L1(0.5)], None, "l1"),
    ],
)
def test_a_value_comes_back_from_its_record(given, value, outside):
    found = dimension("x", given)
    assert found.value(found.recorded(value)) == value
    assert found.recorded(outside) is None


def test_parts_among_choices_come_back_as_they_are():
    part = L1(0.5)
    found = dimension("penalty", [None, part])
    assert found.value(found.recorded(L1(0.5))) is part


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((3, 3), "the first less than the second"),
        ((0, 3, "log"), "above 0"),
        ((1, 3, "linear"), "only 'log'"),
        ((1.0, float("inf")), "finite"),
        ([], "at least one"),
        ([1, 1], "different values"),
        (3, "must be a range"),
        ((128, 64, 32, 16), "must be a range"),
        ("relu", "must be a range"),
    ],
)
def test_bad_dimensions_are_refused_by_name(given, message):
    with pytest.raises(ValueError, match=message) as told:
        dimension("width", given)
    assert "space['width']" in str(told.value)


@pytest.mark.parametrize("space", [{}, [("latent", (1, 2))], None])
def test_a_space_must_be_a_dict_with_something_in_it(space):
    with pytest.raises(ValueError, match="space must be a dict"):
        dimensions(space)


def test_values_are_shown_without_what_is_as_usual():
    assert shown(0.123456789) == "0.1235"
    assert shown([L1(), (1,)]) == "[L1(), (1,)]"
