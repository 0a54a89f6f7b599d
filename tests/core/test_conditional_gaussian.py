import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.core.conditional_gaussian import ConditionalGaussian, fitted_gaussian, patterns


def correlated(rows=400, columns=6, gaps=0.3, seed=0):
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(columns, 3))
    X = rng.normal(size=(rows, 3)) @ loadings.T + 0.3 * rng.normal(size=(rows, columns))
    covariance = loadings @ loadings.T + 0.09 * np.eye(columns)
    return np.where(rng.random(X.shape) < gaps, np.nan, X), covariance


def test_without_gaps_it_is_mean_and_covariance():
    X, _ = correlated(gaps=0)
    found = fitted_gaussian(X, 0.0)
    np.testing.assert_allclose(found.centre, X.mean(0), atol=1e-12)
    covariance = found.covariance * np.outer(found.scale, found.scale)
    np.testing.assert_allclose(covariance, np.cov(X.T, bias=True), rtol=1e-9)


def test_gaps_leave_the_covariance():
    X, covariance = correlated(rows=4000)
    found = fitted_gaussian(X, 0.0, iterations=50)
    unit = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert np.abs(found.covariance * np.outer(found.scale, found.scale) - covariance).max() < 0.1 * unit.max()


def test_conditional_mean_is_that_of_the_formula():
    covariance = np.array([[2.0, 0.6, 0.3], [0.6, 1.0, 0.2], [0.3, 0.2, 1.5]])
    gaussian = ConditionalGaussian(np.array([1.0, 2.0, 3.0]), np.ones(3), covariance)
    found = gaussian.expected(np.array([[2.0, np.nan, 5.0]]))
    seen = [0, 2]
    expected = 2 + covariance[1, seen] @ np.linalg.solve(covariance[np.ix_(seen, seen)], [1.0, 2.0])
    np.testing.assert_allclose(found, [[2.0, expected, 5.0]], rtol=1e-5)


@pytest.mark.parametrize("group", [[2], [1, 4], [0, 1, 2, 3, 4, 5]])
def test_leaving_out_is_hiding(group):
    X, _ = correlated()
    gaussian = fitted_gaussian(X, 1e-3)
    hidden = X.copy()
    hidden[:, group] = np.nan
    there = ~np.isnan(X[:, group]).any(1)
    found = gaussian.leaving_out(X).without(np.array(group))
    np.testing.assert_allclose(found[there], gaussian.expected(hidden)[there], atol=1e-5)


def test_rows_do_not_depend_on_their_neighbours():
    X, _ = correlated()
    gaussian = fitted_gaussian(X, 1e-3)
    np.testing.assert_array_equal(gaussian.expected(X)[7:8], gaussian.expected(X[7:8]))
    np.testing.assert_array_equal(gaussian.expected(X[::-1])[::-1], gaussian.expected(X))


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    st.integers(2, 30), st.integers(1, 5), st.floats(0, 0.9), st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e6])
)
def test_finite_for_every_table(rows, columns, gaps, seed, unit):
    X, _ = correlated(rows, columns, gaps, seed)
    # Columns that are constant, there twice, sum to a constant, or have no cell.
    X = np.column_stack([X * unit, np.ones(rows), X[:, 0] * unit, 1 - X[:, 0], np.full(rows, np.nan)])
    found = fitted_gaussian(X, 1e-3)
    filled = found.expected(X)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert np.isfinite(found.leaving_out(X).without(np.array([0]))).all()


def test_patterns_cover_every_row_once():
    X, _ = correlated(50)
    found = list(patterns(np.isnan(X)))
    assert sorted(np.concatenate([rows for rows, _, _ in found])) == list(range(50))
    for rows, seen, missing in found:
        assert not np.isnan(X[np.ix_(rows, seen)]).any()
        assert np.isnan(X[np.ix_(rows, missing)]).all()
