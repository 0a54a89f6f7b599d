from decimal import Decimal

import numpy as np
import pytest

from isthmus.data.gaps import is_gap, is_gap_text

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    "gap",
    [None, np.nan, float("nan"), np.float32("nan"), Decimal("NaN"), pandas.NA, pandas.NaT, np.ma.masked],
    ids=repr,
)
def test_gaps(gap):
    assert is_gap(gap)


@pytest.mark.parametrize("value", [0, "", "nan", False, np.inf, [], Decimal(0), np.float32(1)], ids=repr)
def test_what_is_no_gap(value):
    assert not is_gap(value)


@pytest.mark.parametrize("text", ["", "  ", "N/A", "n/a", "NaN", "-", "–", "?", "null", "NULL", "None", "#N/A", "<NA>"])
def test_texts_that_stand_for_gaps(text):
    assert is_gap_text(text)
    assert is_gap_text(f" {text}\t")


@pytest.mark.parametrize("text", ["0", "-1", "no", "x", "N"])
def test_texts_that_do_not(text):
    assert not is_gap_text(text)
