"""`DecisionTrees`: trees that were grown by scikit-learn, as plain arrays that can be saved, and their predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self, TypeAlias

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

from isthmus.core.checked_tensors import checked
from isthmus.core.typed_json import value_of
from isthmus.estimators.state import State

RandomTree: TypeAlias = ExtraTreeClassifier | ExtraTreeRegressor
Boosting: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor

NEVER = -1e30
"""Baseline of a class that did not occur: its share is 0."""
WHOLE = ("feature", "left", "right", "roots")
"""Fields of trees that are whole numbers."""
FACTS = ("link", "narrow")
"""Fields of trees that are no arrays."""
ROWS_AT_ONCE = 1024
"""Rows whose paths are followed at a time."""


@dataclass(frozen=True, eq=False)
class DecisionTrees:
    """Trees with numbers in their leaves, of which rows get the sum or, as probabilities, its softmax.

    Parameters
    ----------
    feature : ndarray of shape (nodes,), int32
        The column that a node asks for; -1 in a leaf.
    threshold : ndarray of shape (nodes,), float64
        Rows with at most this value go left.
    left, right : ndarray of shape (nodes,), int32
        The next nodes; a leaf's own place.
    value : ndarray of shape (nodes, C), float32
        What leaves add.
    roots : ndarray of shape (trees,), int32
        The first node of each tree.
    baseline : ndarray of shape (C,), float64
        What is added to every row.
    link : str
        "identity", or "softmax" for shares that sum to 1.
    narrow : bool
        Whether rows are rounded to float32 first, as the trees were grown.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    roots: np.ndarray
    baseline: np.ndarray
    link: str
    narrow: bool

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the prediction for rows (n, F), (n, C)."""
        rows = rows.astype(np.float32) if self.narrow else rows
        pieces = [self.sums(rows[start : start + ROWS_AT_ONCE]) for start in range(0, len(rows), ROWS_AT_ONCE)]
        total = np.concatenate(pieces) if pieces else np.zeros((0, len(self.baseline)))
        if self.link == "identity":
            return total
        weights = np.exp(total - total.max(1, keepdims=True))
        shares: np.ndarray = weights / weights.sum(1, keepdims=True)
        return shares

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """Return the sum of the leaves that rows (n, F) reach, (n, C)."""
        leaves = self.leaves(rows)
        # Tree by tree, so that a row's bits do not depend on how many rows come with it.
        total = np.tile(self.baseline, (len(rows), 1))
        for tree in range(len(self.roots)):
            total += self.value[leaves[:, tree]]
        return total

    def leaves(self, rows: np.ndarray) -> np.ndarray:
        """Return the leaf that each of the rows (n, F) reaches in each tree, (n, trees)."""
        node = np.tile(self.roots, len(rows))
        walking = np.flatnonzero(self.feature[node] >= 0)
        while len(walking):
            here = node[walking]
            goes_left = rows[walking // len(self.roots), self.feature[here]] <= self.threshold[here]
            reached = np.where(goes_left, self.left[here], self.right[here])
            node[walking] = reached
            walking = walking[self.feature[reached] >= 0]
        return node.reshape(len(rows), len(self.roots))

    def state(self) -> State:
        """Return everything, for a file."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in FACTS}
        facts = {name: getattr(self, name) for name in FACTS}
        return State(facts, {name: torch.from_numpy(array) for name, array in arrays.items()})

    @classmethod
    def of_state(cls, state: State) -> Self:
        """Return the trees of a state; raise a `ValueError` if they are not trees."""
        tensors = state.tensors
        whole = {name: checked(tensors, name, (None,), torch.int32).numpy() for name in WHOLE}
        trees = cls(
            **whole,
            threshold=checked(tensors, "threshold", (None,), finite=False).numpy(),
            value=checked(tensors, "value", (None, None), torch.float32).numpy(),
            baseline=checked(tensors, "baseline", (None,)).numpy(),
            link=value_of(str, state.facts["link"], "link"),
            narrow=value_of(bool, state.facts["narrow"], "narrow"),
        )
        trees.refuse_broken()
        return trees

    def refuse_broken(self) -> None:
        """Raise a `ValueError` if nodes lead elsewhere than further down, or if sizes or the link do not fit."""
        nodes, places = len(self.feature), np.arange(len(self.feature))
        leaf = self.feature < 0
        sizes = {len(part) for part in (self.threshold, self.left, self.right, self.value)} == {nodes}
        further = sizes and bool(
            ((self.left > places) | leaf).all()
            and ((self.right > places) | leaf).all()
            and max(self.left.max(initial=0), self.right.max(initial=0), self.roots.max(initial=0)) < max(nodes, 1)
            and min(self.left.min(initial=0), self.right.min(initial=0), self.roots.min(initial=0)) >= 0
        )
        if not further or self.value.ndim != 2 or self.value.shape[1] != len(self.baseline):
            raise ValueError("the saved trees are broken: nodes lead nowhere, or sizes differ")
        if self.link not in ("identity", "softmax"):
            raise ValueError(f"the saved trees have an unknown link {self.link!r}")


def mean_of_trees(trees: Sequence[RandomTree], classes: int = 0) -> DecisionTrees:
    """Return the mean over fitted trees of scikit-learn of their values, or of their shares of `classes`."""
    grown = [estimator.tree_ for estimator in trees]
    leaves = np.concatenate([tree.value[:, 0, :] for tree in grown]) / len(grown)
    columns = trees[0].classes_.astype(int) if isinstance(trees[0], ExtraTreeClassifier) else [0]
    value = np.zeros((len(leaves), max(classes, 1)), dtype=np.float32)
    value[:, columns] = leaves
    arrays = [
        NodeArrays(tree.children_left < 0, tree.feature, tree.threshold, tree.children_left, tree.children_right)
        for tree in grown
    ]
    return joined_trees(arrays, value, np.zeros(value.shape[1]), "identity", narrow=True)


def trees_of_boosting(boosting: Boosting, classes: int = 0) -> DecisionTrees:
    """Return fitted gradient boosting of scikit-learn: the sum over its trees, or the shares of `classes`."""
    # Scikit-learn gives no public way to these numbers; a test compares the predictions.
    rounds = boosting._predictors
    nodes = [(output, tree.nodes) for trees in rounds for output, tree in enumerate(trees)]
    offsets = np.cumsum([0, *(len(own) for _, own in nodes)])
    columns = [0]
    baseline = np.zeros(max(classes, 1))
    if isinstance(boosting, HistGradientBoostingClassifier):
        # Of two classes only the second has trees; classes that did not occur have no share.
        columns = list(boosting.classes_[1:] if len(boosting.classes_) == 2 else boosting.classes_)
        baseline[np.setdiff1d(np.arange(classes), boosting.classes_)] = NEVER
    baseline[columns] = np.ravel(boosting._baseline_prediction)
    value = np.zeros((offsets[-1], len(baseline)), dtype=np.float32)
    for (output, own), begin in zip(nodes, offsets, strict=False):
        value[begin : begin + len(own), columns[output]] = own["value"] * own["is_leaf"]
    arrays = [
        NodeArrays(own["is_leaf"] > 0, own["feature_idx"], own["num_threshold"], own["left"], own["right"])
        for _, own in nodes
    ]
    return joined_trees(arrays, value, baseline, "softmax" if classes else "identity", narrow=False)


class NodeArrays(NamedTuple):
    """The nodes of one tree, (nodes,) each."""

    is_leaf: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray


def joined_trees(
    trees: Sequence[NodeArrays], value: np.ndarray, baseline: np.ndarray, link: str, narrow: bool
) -> DecisionTrees:
    """Return trees one after another, with leaves that lead to themselves."""
    offsets = np.cumsum([0, *(len(tree.is_leaf) for tree in trees)])
    pairs = list(zip(trees, offsets, strict=False))
    places = np.arange(offsets[-1])
    is_leaf = np.concatenate([tree.is_leaf for tree in trees])

    def ahead(sides: list[np.ndarray]) -> np.ndarray:
        return np.where(is_leaf, places, np.concatenate(sides)).astype(np.int32)

    return DecisionTrees(
        feature=np.where(is_leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        left=ahead([tree.left.astype(np.int64) + begin for tree, begin in pairs]),
        right=ahead([tree.right.astype(np.int64) + begin for tree, begin in pairs]),
        value=value,
        roots=offsets[:-1].astype(np.int32),
        baseline=baseline,
        link=link,
        narrow=narrow,
    )
