import numpy as np
import pandas as pd
import pytest

from isthmus.tasks.checking.rules.duplicates import mixed


def test_duplicates_are_counted_with_their_rows(told, clean):
    doubled = pd.concat([clean, clean[:30]], ignore_index=True)
    (found,) = told("duplicate-rows", doubled)
    assert found.value == pytest.approx(30 / 430)
    assert found.rows == tuple(range(400, 410))
    assert found.severity == "note"
    assert told("duplicate-rows", pd.concat([clean, clean]))[0].severity == "warning"
    assert not told("duplicate-rows", clean)


def test_rows_that_differ_in_an_identifier_alone_are_told_so(told, clean):
    doubled = pd.concat([clean, clean[:30]], ignore_index=True).assign(key=[f"key {j}" for j in range(430)])
    (found,) = told("duplicate-rows", doubled)
    assert "equal an earlier row but for 'key'" in found.number


def test_gaps_and_signs_of_zero_are_equal(told, clean):
    X = clean[["height", "weight", "income"]].to_numpy(copy=True)
    X[0], X[1] = [np.nan, 0.0, 1.5], [np.nan, -0.0, 1.5]
    assert told("duplicate-rows", X)[0].rows == (1,)


def test_rows_of_few_values_are_equal_by_chance(told):
    assert not told("duplicate-rows", np.random.default_rng(0).integers(0, 2, (200, 4)))


def test_keys_are_one_to_one():
    bits = np.arange(2**16, dtype=np.uint64) << np.uint64(45)
    assert len(np.unique(mixed(bits))) == len(bits)
