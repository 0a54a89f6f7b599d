import numpy as np
import pytest

from isthmus.tasks.anomaly.column_values import ColumnValues
from isthmus.tasks.anomaly.made_up import (
    KINDS,
    SHIFT,
    SPREAD,
    STRETCH,
    clustered,
    independent,
    local,
    made_up,
    spread_out,
)

RNG = np.random.default_rng(0)
X = np.repeat([[0.0, 0.0, 0.0], [9.0, -9.0, 3.0]], 100, axis=0) + RNG.normal(size=(200, 3))


def test_local_ones_have_the_variance_of_their_cluster_five_times():
    odd = local(X[:5], RNG)
    np.testing.assert_allclose(odd - X[:5].mean(0), SPREAD**0.5 * (X[:5] - X[:5].mean(0)))


def test_global_ones_fill_the_widened_ranges():
    odd = spread_out(np.repeat(X, 50, axis=0), RNG)
    np.testing.assert_allclose(np.ptp(odd, axis=0), STRETCH * np.ptp(X, axis=0), rtol=0.01)


def test_dependency_ones_have_the_columns_of_the_rows_and_no_relation():
    odd = independent(X, RNG)
    np.testing.assert_array_equal(np.sort(odd, axis=0), np.sort(X, axis=0))
    assert abs(np.corrcoef(X.T)[0, 1]) > 0.9 > 0.3 > abs(np.corrcoef(odd.T)[0, 1])


def test_clustered_ones_are_moved_away_from_the_mean():
    odd = clustered(X[:5], RNG)
    np.testing.assert_allclose(odd, X[:5])
    moved = clustered(X, RNG)
    np.testing.assert_allclose(moved.mean(0), X.mean(0) + (SHIFT - 1) * 0, atol=1e-9)
    assert np.ptp(moved, axis=0).min() > 2 * np.ptp(X, axis=0).min()


def test_tables_with_gaps_have_relations_broken_alone():
    assert list(made_up(X, ColumnValues(None), RNG)) == list(KINDS)
    gaps = np.where(X > 9, np.nan, X)
    assert list(made_up(gaps, ColumnValues(None), RNG)) == ["dependency"]


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_and_few_rows_are_taken(kind):
    odd = KINDS[kind](np.column_stack([X[:2], np.ones(2)]), RNG)
    assert odd.shape == (2, 4)
    assert np.isfinite(odd).all()
