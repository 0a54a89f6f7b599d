"""Trees per column: what a forest or gradient boosting expects of a column, given all others as they are expected."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from isthmus.tasks.imputation.decision_trees import (
    Boosting,
    DecisionTrees,
    Forest,
    trees_of_boosting,
    trees_of_forest,
)

FOREST_ROWS = 5000
"""Up to this many rows a forest is grown, of more rows gradient boosting on a sample of this size."""
TREES = 50
LEAST_LEAF = 2
"""Rows of a leaf at least."""
CONSIDERED = 0.5
"""Share of the features that a split of a regression tree considers."""
BOOSTED_CHOICES = 50
"""Rounds of boosting for choices, each with a tree for every choice."""
LEAST_CELLS = 20
"""Columns with fewer cells get no trees."""


class Grown(NamedTuple):
    """Trees, and what they expect of rows that they have not seen."""

    trees: DecisionTrees
    unseen: np.ndarray
    """(n, C)"""


def grown(
    features: np.ndarray, target: np.ndarray, training: np.ndarray, classes: int, boosted: bool, seed: int
) -> Grown:
    """Grow trees that predict a column from all others.

    They are gradient boosting, which then predicts the rows it was not grown on, or a forest of randomised trees
    (Geurts, Ernst and Wehenkel 2006), in which each training row is predicted by those trees that were grown without
    it.

    Parameters
    ----------
    features
        (n, F) rows.
    target
        (n,) numbers, or codes of choices.
    training
        (n,) bool, the rows to grow on.
    classes
        How many choices there are; 0 for numbers.
    boosted
        Whether to grow gradient boosting.
    seed
        Of the trees.
    """
    if boosted and len(np.unique(target[training])) > 1:
        boosting = boosting_of(classes, seed).fit(features[training], target[training])
        trees = trees_of_boosting(boosting, classes)
        return Grown(trees, trees.predict(features))
    forest = forest_of(classes, seed)
    with warnings.catch_warnings():
        # The score is not used, and rows that are in every tree are predicted by all of them.
        warnings.simplefilter("ignore")
        forest.fit(features[training], target[training])
    trees = trees_of_forest(forest, classes)
    found = np.full((len(features), trees.value.shape[1]), np.nan)
    found[training] = out_of_bag(forest, found[training])
    # A row that no tree was grown without is predicted by all of them.
    others = np.isnan(found).any(1)
    found[others] = trees.predict(features[others])
    return Grown(trees, found)


def out_of_bag(forest: Forest, found: np.ndarray) -> np.ndarray:
    """Return what a forest expects of its training rows by the trees without them, (n, C), NaN where there are none."""
    if not isinstance(forest, ExtraTreesClassifier):
        found[:, 0] = forest.oob_prediction_
        return found
    found[:] = 0
    found[:, forest.classes_] = forest.oob_decision_function_
    return found


def forest_of(classes: int, seed: int) -> Forest:
    """Return an unfitted forest."""
    settings = {"min_samples_leaf": LEAST_LEAF, "bootstrap": True, "oob_score": True, "random_state": seed}
    if classes:
        return ExtraTreesClassifier(TREES, **settings)
    return ExtraTreesRegressor(TREES, max_features=CONSIDERED, **settings)


def boosting_of(classes: int, seed: int) -> Boosting:
    """Return unfitted gradient boosting."""
    if classes:
        return HistGradientBoostingClassifier(max_iter=BOOSTED_CHOICES, random_state=seed)
    return HistGradientBoostingRegressor(random_state=seed)
