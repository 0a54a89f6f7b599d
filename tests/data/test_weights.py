import numpy as np
import pytest
import scipy.sparse

from isthmus.data.chunks import ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.sparse import SparseTable
from isthmus.data.weights import normalised, weighted

X = np.arange(12.0).reshape(4, 3)


def test_no_weights():
    table = DenseTable(X)
    assert weighted(table, None, 2) == (table, None)


@pytest.mark.parametrize("make", [DenseTable, lambda X: SparseTable(scipy.sparse.csr_array(X))])
def test_rows_of_weight_0_are_left_out(make):
    table, weight = weighted(make(X), [1, 0, 2, 0], 2)
    np.testing.assert_array_equal(table[:].numpy(), X[[0, 2]])
    np.testing.assert_allclose(weight, [2 / 3, 4 / 3])


def test_a_table_that_keeps_all_rows_is_not_copied():
    table = DenseTable(X)
    assert weighted(table, [1, 1, 2, 3], 2)[0] is table


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 1.0, 1e300])
def test_only_ratios_count(factor):
    weight = np.array([1.0, 2.0, 0.0, 5.0])
    found = normalised(weight * factor)
    np.testing.assert_allclose(found, normalised(weight), rtol=1e-12)
    assert found[weight > 0].mean() == pytest.approx(1)
    assert found[2] == 0


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"sample_weight.shape == \(2,\), expected \(4,\)"),
        (np.ones((4, 1)), "Sample weights must be 1D array or scalar"),
        ([1, 1, 1, -1], "Negative values in data passed to `sample_weight`"),
        ([1, 1, 1, np.nan], "sample_weight contains NaN"),
        ([1, 1, 1, np.inf], "sample_weight contains infinity"),
        ([0, 0, 0, 0], "at least one non-zero number|0 sample weights are positive"),
        ([1, 0, 0, 0], "1 sample weights are positive, but at least 2"),
        (["a", "b", "c", "d"], "could not convert string"),
    ],
)
def test_weights_that_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        weighted(DenseTable(X), weight, 2)


def test_streams_have_no_rows_of_weight_0():
    table = ChunkedTable([2, 2], lambda i: X[2 * i : 2 * i + 2], 3, X.dtype)
    assert weighted(table, [1, 2, 3, 4], 2)[0] is table
    with pytest.raises(ValueError, match="1 sample weights are 0, and rows that are read in chunks cannot be left out"):
        weighted(table, [1, 0, 3, 4], 2)
