import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from isthmus.tasks.imputation import column_trees
from isthmus.tasks.imputation.column_trees import grown

X, Y = load_diabetes(return_X_y=True)
WINES, KINDS = load_wine(return_X_y=True)
ALL = np.ones(len(X), dtype=bool)


def error(found, wanted):
    return float(np.sqrt(((found - wanted) ** 2).mean()) / wanted.std())


def test_training_rows_are_predicted_by_trees_that_have_not_seen_them():
    # Of noise nothing can be foreseen; trees that have seen a row would.
    noise = np.random.default_rng(0).normal(size=len(X))
    forest = grown(X, noise, ALL, 0, False, seed=0)
    assert error(forest.unseen[:, 0], noise) > 0.95
    assert error(forest.trees.predict(X)[:, 0], noise) < 0.7


@pytest.mark.parametrize("boosted", [False, True])
def test_other_rows_are_predicted_by_all_trees(boosted):
    training = np.arange(len(X)) % 3 > 0
    result = grown(X, Y, training, 0, boosted, seed=0)
    np.testing.assert_array_equal(result.unseen[~training], result.trees.predict(X[~training]))
    assert error(result.unseen[~training, 0], Y[~training]) < 0.85
    if boosted:
        assert np.isnan(result.unseen[training]).all()


@pytest.mark.parametrize("boosted", [False, True])
def test_shares_of_choices(boosted):
    training = np.arange(len(KINDS)) % 4 > 0
    result = grown(WINES, KINDS, training, 3, boosted, seed=0)
    asked = ~training if boosted else np.ones(len(KINDS), dtype=bool)
    np.testing.assert_allclose(result.unseen[asked].sum(1), 1, rtol=1e-5)
    assert (result.unseen[asked].argmax(1) == KINDS[asked]).mean() > 0.9


def test_a_row_in_every_tree_is_predicted_by_all(monkeypatch):
    monkeypatch.setattr(column_trees, "TREES", 1)
    forest = grown(X[:30], Y[:30], ALL[:30], 0, False, seed=0)
    assert np.isfinite(forest.unseen).all()


def test_a_constant_target_is_foreseen():
    for boosted in (False, True):
        result = grown(X, np.full(len(X), 3.0), np.arange(len(X)) > 9, 0, boosted, seed=0)
        np.testing.assert_allclose(result.unseen[:10], 3.0)


def test_the_same_seed_grows_the_same_trees():
    one, same, other = (grown(X, Y, ALL, 0, False, seed=seed).unseen for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
