import datetime

import numpy as np
import pytest
import scipy.sparse

from isthmus.data.arrays import build_array, is_gap, read_array, takes_columns
from isthmus.data.schema import ARRAY

pandas = pytest.importorskip("pandas")
NUMBERS = np.arange(12.0).reshape(4, 3)
GAPS = np.where(NUMBERS == 4, np.nan, NUMBERS)


@pytest.mark.parametrize(
    ("X", "columns", "taken"),
    [
        (NUMBERS, None, False),
        (NUMBERS, "auto", True),
        (NUMBERS.astype(int), None, False),
        (GAPS, None, True),
        (GAPS.astype(np.float16), None, True),
        (np.where(NUMBERS == 4, np.inf, NUMBERS), None, False),
        (np.array([[np.inf, -np.inf], [1, 2]]), None, False),
        (NUMBERS.astype(object), None, False),
        (np.array([["a", 1], ["b", 2]], dtype=object), None, True),
        (np.array([[None, 1], [3, 2]], dtype=object), None, True),
        (np.array([["a", "b"]]), None, True),
        (NUMBERS[0], None, False),
        (scipy.sparse.csr_array(NUMBERS), None, False),
    ],
)
def test_arrays_with_gaps_or_text_are_read_by_column(X, columns, taken):
    assert takes_columns(X, columns) == taken


def test_columns_of_a_sparse_matrix_are_refused():
    with pytest.raises(ValueError, match="columns= goes with frames and dense arrays, and X is sparse"):
        takes_columns(scipy.sparse.csr_array(NUMBERS), "auto")


def test_gaps():
    for gap in (None, np.nan, float("nan"), pandas.NA, pandas.NaT):
        assert is_gap(gap)
    for value in (0, "", "nan", False, np.inf, []):
        assert not is_gap(value)


@pytest.mark.parametrize(
    ("X", "sorts"),
    [
        (NUMBERS, ["float"] * 3),
        (GAPS, ["float"] * 3),
        (NUMBERS.astype(np.int16), ["integer"] * 3),
        (NUMBERS > 5, ["boolean"] * 3),
        (np.array([["a", 1.5], [None, 2.5]], dtype=object), ["text", "float"]),
        (np.array([[None, True], [None, False]], dtype=object), ["nothing", "boolean"]),
        (np.array([[np.nan, 1.0], [np.nan, 2.0]]), ["nothing", "float"]),
    ],
)
def test_arrays_come_back(X, sorts):
    schema, cells = read_array(X)
    assert (schema.backend, [field.sort for field in schema.fields]) == (ARRAY, sorts)
    assert [field.name for field in schema.fields] == list(range(X.shape[1]))
    back = build_array(schema, cells)
    missing = np.array([[is_gap(cell) for cell in row] for row in X.astype(object)])
    np.testing.assert_array_equal(np.stack([piece.missing for piece in cells], axis=1), missing)
    np.testing.assert_array_equal(back[~missing], X[~missing])
    assert all(is_gap(cell) for cell in back[missing])


def test_times_come_back_as_pythons():
    days = np.array([[datetime.datetime(2020, 1, day)] for day in (1, 2)] + [[None]], dtype=object)
    schema, cells = read_array(days)
    assert schema.fields[0].sort == "time"
    assert build_array(schema, cells).tolist() == days.tolist()
