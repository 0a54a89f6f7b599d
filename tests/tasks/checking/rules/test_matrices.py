import numpy as np
import pytest
import scipy.sparse

from isthmus import check

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(1.0, size=(200, 30)).astype(float) + np.eye(200, 30)


def changed(change):
    X = COUNTS.copy()
    change(X)
    return scipy.sparse.csr_matrix(X)


def empty_rows(X):
    X[[3, 8]] = 0


def short_rows(X):
    X[:50, 2:] = 0


def empty_columns(X):
    X[:, [0, 4]] = 0


def heavy_rows(X):
    X[:2] *= 2000


def negative(X):
    X[7, 7] = -2


def duplicates(X):
    X[100:110] = X[:10]


CASES = {
    "empty-matrix-rows": empty_rows,
    "short-matrix-rows": short_rows,
    "empty-matrix-columns": empty_columns,
    "heavy-matrix-rows": heavy_rows,
    "negative-entries": negative,
    "duplicate-matrix-rows": duplicates,
}


def test_a_good_matrix_gets_nothing():
    assert list(check(scipy.sparse.csr_matrix(COUNTS))) == []


@pytest.mark.parametrize("rule", CASES)
def test_what_is_wrong_with_a_matrix_is_told(rule, told):
    assert len(told(rule, changed(CASES[rule]))) == 1


def test_rows_are_named(told):
    assert told("empty-matrix-rows", changed(empty_rows))[0].rows == (3, 8)
    assert told("duplicate-matrix-rows", changed(duplicates))[0].rows == tuple(range(100, 110))


def test_what_a_fit_refuses_is_an_error(told):
    assert told("refused-matrix", changed(lambda X: X.__setitem__((0, 0), np.inf)))
