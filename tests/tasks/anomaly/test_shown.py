import numpy as np
import pandas as pd
import pytest

from isthmus.tasks.anomaly.shown import shown


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT])
def test_gaps_are_missing(gap):
    assert shown(gap) == "missing"


def test_numbers_are_short_and_without_an_exponent_where_they_can_be():
    assert [shown(value) for value in (1.23456, 12345.67, -1234567.8, 1e7, 12345678, 2.5e-7)] == [
        "1.235",
        "12346",
        "-1234568",
        "1e+07",
        "12345678",
        "2.5e-07",
    ]
