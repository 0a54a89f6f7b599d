from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pytest

from isthmus.core.typed_json import typed, value_of


class Point(NamedTuple):
    x: float
    y: float = 0.0


@dataclass
class Shape:
    name: Hashable
    points: tuple[Point, ...]
    closed: bool = False
    note: str | None = None


def test_objects_within_objects():
    found = typed(Shape, {"name": ["a", 1], "points": [{"x": 1.0}, {"x": 2, "y": 3.0}]})
    assert found == Shape(("a", 1), (Point(1.0), Point(2, 3.0)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"points": []}, "Shape lacks name"),
        ({"name": "a", "points": [], "more": 1}, "Shape has no 'more'"),
        ({"name": "a", "points": [{"x": "1"}]}, "x of an item of points of Shape must be a number; got '1'"),
        ({"name": "a", "points": {}}, "points of Shape must be a list"),
        ({"name": "a", "points": [], "closed": 1}, "closed of Shape must be true or false; got 1"),
        ({"name": {}, "points": []}, "must be a name"),
        ([], "Shape must be an object"),
    ],
)
def test_what_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        typed(Shape, values)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(int, 3), (float, 3), (float, 2.5), (str | None, None), (list[int], [1]), (dict[str, float], {"a": 1.0})],
        *[(tuple[int, str], [1, "a"]), (Literal["a", "b"], "b"), (Mapping[str, list[int]], {"a": []}), (bool, True)],
    ],
)
def test_values_that_fit(kind, value):
    found = value_of(kind, value, "it")
    assert (list(found) if isinstance(found, tuple) else found) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(int, True), (int, 1.0), (int, 2**63), (float, float("inf")), (float, 10**30), (str, None)],
        *[
            (list[int], ["a"]),
            (tuple[int, str], [1]),
            (Literal["a"], "b"),
            (dict[str, float], [1]),
            (float | None, "x"),
        ],
    ],
)
def test_values_that_do_not(kind, value):
    with pytest.raises(ValueError, match="it"):
        value_of(kind, value, "it")
