import numpy as np
import pytest
import scipy.sparse
import torch

from isthmus.data import moments
from isthmus.data.rows import Rows


def columns(dtype: str = "float64") -> np.ndarray:
    """Empty, full, half empty, negative, with fractions, far from 0."""
    rng = np.random.default_rng(0)
    n = 60
    X = np.zeros((n, 7))
    X[:, 1] = rng.integers(1, 9, n)
    X[::2, 2] = rng.integers(1, 9, n // 2)
    X[::3, 3] = -rng.integers(1, 9, n // 3)
    X[5, 4] = 0.25
    X[:, 5] = 1e6 + rng.random(n)
    X[1:, 6] = 3
    return X.astype(dtype)


def assert_same(one, other, tolerance: float) -> None:
    for name, found, expected in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=0, msg=lambda text, name=name: name + text)


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 60)])
@pytest.mark.parametrize("entries", [1, 7, 2**20])
def test_it_is_that_of_the_dense_table(weight, entries, monkeypatch):
    monkeypatch.setattr(moments, "ENTRIES", entries)
    dense, sparse = (Rows(X, weight, dtype=torch.float64) for X in (columns(), scipy.sparse.csr_array(columns())))
    assert_same(sparse.summary(), dense.summary(), 1e-12)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "uint16", "float32"])
def test_of_any_number_type(dtype):
    assert_same(*[Rows(X).summary() for X in (scipy.sparse.csr_array(columns(dtype)), columns(dtype))], 1e-12)


def test_zeros_that_are_kept_count_as_zeros():
    X = scipy.sparse.csr_array(columns())
    kept = X.copy()
    kept.data[::4] = 0
    assert_same(Rows(kept).summary(), Rows(kept.toarray()).summary(), 1e-12)


def test_cells_kept_twice_and_out_of_order_are_their_sum_and_the_table_is_left_alone():
    data, at = np.array([1.5, 2.0, 0.5, 3.0]), np.array([2, 1, 2, 0])
    X = scipy.sparse.csr_array((data, at, np.array([0, 3, 4])), shape=(2, 3))
    assert_same(Rows(X).summary(), Rows(X.toarray()).summary(), 1e-12)
    assert X.indices.tolist() == [2, 1, 2, 0]


def test_an_empty_table():
    found = Rows(scipy.sparse.csr_array((4, 3))).summary()
    assert [part.tolist() for part in found] == [[0, 0, 0]] * 4 + [[True] * 3]
