import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

from isthmus.tasks.imputation.decision_trees import DecisionTrees, mean_of_trees, trees_of_boosting

X, Y = load_diabetes(return_X_y=True)
WINES, KINDS = load_wine(return_X_y=True)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_mean_of_regression_trees():
    trees = [ExtraTreeRegressor(random_state=seed).fit(X, Y) for seed in range(5)]
    close(mean_of_trees(trees).predict(X)[:, 0], np.mean([tree.predict(X) for tree in trees], axis=0))


def test_mean_of_classification_trees_has_a_column_for_kinds_that_none_has_seen():
    seen = KINDS != 1
    trees = [ExtraTreeClassifier(random_state=seed).fit(WINES[seen], KINDS[seen]) for seed in range(5)]
    found = mean_of_trees(trees, classes=3).predict(WINES)
    close(found[:, [0, 2]], np.mean([tree.predict_proba(WINES) for tree in trees], axis=0))
    assert (found[:, 1] == 0).all()


def test_boosting_of_numbers():
    boosting = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, Y)
    close(trees_of_boosting(boosting).predict(X)[:, 0], boosting.predict(X))


@pytest.mark.parametrize("kinds", [[0, 1, 2], [0, 2], [1, 2]])
def test_boosting_of_choices(kinds):
    seen = np.isin(KINDS, kinds)
    boosting = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(WINES[seen], KINDS[seen])
    found = trees_of_boosting(boosting, classes=3).predict(WINES)
    close(found[:, kinds], boosting.predict_proba(WINES))
    close(found.sum(1), 1)


def test_a_row_has_the_same_bits_in_any_company():
    trees = trees_of_boosting(HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, Y))
    together = trees.predict(X)
    np.testing.assert_array_equal(np.concatenate([trees.predict(X[[row]]) for row in range(50)]), together[:50])


def test_a_single_leaf():
    leaf = mean_of_trees([ExtraTreeRegressor().fit(X[:5], np.full(5, 2.0))])
    np.testing.assert_array_equal(leaf.predict(X[:3]), np.full((3, 1), 2.0))
    assert leaf.predict(X[:0]).shape == (0, 1)


def test_state_and_back():
    trees = mean_of_trees([ExtraTreeRegressor(random_state=0).fit(X, Y)])
    np.testing.assert_array_equal(DecisionTrees.of_state(trees.state()).predict(X), trees.predict(X))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("left", lambda left: np.zeros_like(left)),
        ("roots", lambda roots: roots + 10**6),
        ("value", lambda value: value[:-1]),
    ],
)
def test_broken_states_are_refused(name, change):
    import torch

    state = mean_of_trees([ExtraTreeRegressor(random_state=0).fit(X, Y)]).state()
    state.tensors[name] = torch.from_numpy(change(state.tensors[name].numpy()))
    with pytest.raises(ValueError, match="broken"):
        DecisionTrees.of_state(state)
