import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from isthmus.tasks.anomaly.explanation import Explanation


def explanation(seen=None, n=3):
    seen = np.arange(2.0 * n).reshape(n, 2) if seen is None else seen
    contributions = np.tile([0.25, 4.0], (n, 1))
    return Explanation(contributions.sum(1), contributions, seen, seen, ["age", "income"])


def test_top_and_more_than_there_are():
    assert explanation().top(1).tolist() == [["income"]] * 3
    assert explanation().top(9).tolist() == [["income", "age"]] * 3


def test_maps():
    assert explanation().map((2, 1)).shape == (3, 2, 1)
    with pytest.raises(ValueError, match="pixels"):
        explanation().map((3, 1))


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_are_of_the_library_of_the_rows(library):
    seen = library.DataFrame({"age": [40, 35], "income": [1.5, 2.5]})
    found = explanation(seen, 2).frame()
    assert isinstance(found, library.DataFrame)
    assert list(found.columns) == ["row", "column", "contribution", "seen", "expected"]
    assert found["seen"].to_list() == [40, 1.5, 35, 2.5]


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("values", [["a", None], [datetime.date(2020, 1, 1)] * 2, [True, False]])
def test_frames_keep_columns_of_several_types(library, values):
    seen = library.DataFrame({"age": [40, 35], "income": values})
    found = explanation(seen, 2).frame()["seen"].to_list()
    assert [str(found[0]), str(found[2])] == ["40", "35"]
    assert str(found[1]).startswith(str(values[0]))


def test_names_of_several_levels():
    names = [("a", "x"), ("a", "y")]
    found = Explanation(np.array([3.0]), np.array([[1.0, 2.0]]), np.zeros((1, 2)), np.zeros((1, 2)), names)
    assert found.top(1).shape == (1, 1)
    assert found.top(1)[0, 0] == ("a", "y")


def test_print():
    lines = str(explanation(n=7)).splitlines()
    assert lines[0].startswith("row 0: score 4.25: income 4.00 (seen 1, expected 1), age 0.25")
    assert lines[-1] == "and 2 more rows"
