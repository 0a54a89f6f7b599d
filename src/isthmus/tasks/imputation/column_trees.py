"""Trees per column: what a forest or gradient boosting expects of a column, given all others as they are expected."""

from typing import NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

from isthmus.tasks.imputation.decision_trees import (
    Boosting,
    DecisionTrees,
    RandomTree,
    mean_of_trees,
    trees_of_boosting,
)

FOREST_ROWS = 5000
"""Up to this many rows a forest is grown, of more rows gradient boosting on a sample of this size."""
TREES = 50
LEAST_LEAF = 2
"""Rows of a leaf at least."""
CONSIDERED = 0.5
"""Share of the features that a split of a forest considers."""
ROUNDS, BOOSTED_CHOICES = 60, 30
"""Rounds of boosting for numbers, and for choices, each with a tree for every choice."""
PACE = 0.15
"""Share of what a tree finds that is added."""
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
        return Grown(trees, predicted_where(~training, trees, features))
    return forest_grown(features, target, training, classes, np.random.default_rng(seed))


def forest_grown(
    features: np.ndarray, target: np.ndarray, training: np.ndarray, classes: int, generator: np.random.Generator
) -> Grown:
    """Grow randomised trees, each on rows drawn with replacement; the parameters are those of `grown`.

    What scikit-learn's forests do around each tree (cloning, checks, a score of their own) takes more time than growing
    it where rows are few, and they do not tell of a row which trees were grown without it at once with the rest.
    """
    seen = np.ascontiguousarray(features[training], dtype=np.float32)
    wanted = target[training, None].astype(np.float64)
    own = np.zeros((len(seen), TREES))
    estimators = []
    with config_context(skip_parameter_validation=True):
        for place in range(TREES):
            own[:, place] = np.bincount(generator.integers(len(seen), size=len(seen)), minlength=len(seen))
            tree = unfitted_tree(classes, int(generator.integers(2**31)))
            estimators.append(tree.fit(seen, wanted, sample_weight=own[:, place].copy(), check_input=False))
    trees = mean_of_trees(estimators, classes)
    found = predicted_where(~training, trees, features)
    without = own == 0
    values = trees.value[trees.leaves(seen)] * without[:, :, None]
    # A row that no tree was grown without is predicted by all of them.
    alone = without.any(1)
    places = np.flatnonzero(training)
    found[places[alone]] = values[alone].sum(1, dtype=np.float64) * (TREES / without[alone].sum(1, keepdims=True))
    found[places[~alone]] = trees.predict(seen[~alone])
    return Grown(trees, found)


def predicted_where(asked: np.ndarray, trees: DecisionTrees, features: np.ndarray) -> np.ndarray:
    """Return what trees predict of the rows (n, F) that are asked for, (n, C); NaN for the others."""
    found = np.full((len(features), trees.value.shape[1]), np.nan)
    found[asked] = trees.predict(features[asked])
    return found


def unfitted_tree(classes: int, seed: int) -> RandomTree:
    """Return an unfitted tree of a forest."""
    kind = ExtraTreeClassifier if classes else ExtraTreeRegressor
    return kind(min_samples_leaf=LEAST_LEAF, max_features=CONSIDERED, random_state=seed)


def boosting_of(classes: int, seed: int) -> Boosting:
    """Return unfitted gradient boosting."""
    if classes:
        return HistGradientBoostingClassifier(learning_rate=PACE, max_iter=BOOSTED_CHOICES, random_state=seed)
    return HistGradientBoostingRegressor(learning_rate=PACE, max_iter=ROUNDS, random_state=seed)
