"""Comparison of methods on hidden cells: what each costs, and how they are mixed column by column."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.tasks.imputation.blending import mixture, simplex_weights, without_small
from isthmus.tasks.imputation.decision_trees import DecisionTrees
from isthmus.tasks.imputation.evidence import Sample
from isthmus.tasks.imputation.filling import MEAN, METHODS
from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells

LEAST_EVIDENCE = 10
"""Hidden cells of a table from which methods are mixed; with fewer, columns get their means."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What methods expect of the hidden cells of one column.

    Parameters
    ----------
    rows : ndarray
        The rows of the sample in which the column is there, on which methods are compared.
    truth : ndarray of shape (rows, targets)
        Their outcomes.
    expected : mapping
        What each method expects, (rows, targets), by name.
    trees : mapping
        What was grown for the column, by method.
    """

    rows: np.ndarray
    truth: np.ndarray
    expected: Mapping[str, np.ndarray]
    trees: Mapping[str, DecisionTrees]

    def with_trees(self, trees: Mapping[str, DecisionTrees], unseen: Mapping[str, np.ndarray]) -> "Findings":
        """Return these findings with trees, and what they expect of the rows of the sample, (n, targets)."""
        expected = {**self.expected, **{name: found[self.rows] for name, found in unseen.items()}}
        return replace(self, expected=expected, trees=trees)

    def of_methods(self, methods: Collection[str]) -> "Findings":
        """Return the findings of these methods."""
        return replace(self, expected={name: found for name, found in self.expected.items() if name in methods})


def mixed(groups: Sequence[CellGroup], findings: Sequence[Findings]) -> list[np.ndarray]:
    """Return the share of each of `METHODS` in what fills each column, (methods,) each."""
    result = []
    for group, own in zip(groups, findings, strict=True):
        names = list(own.expected)
        alike = [
            other
            for there, other in zip(groups, findings, strict=True)
            if there.choices == group.choices and list(other.expected) == names
        ]
        prior = prior_of(alike, names)
        weights = prior
        if len(own.rows):
            weights = simplex_weights(own.truth, [own.expected[name] for name in names], prior)
        weights = without_small(weights)
        result.append(np.array([weights[names.index(name)] if name in names else 0.0 for name in METHODS]))
    return result


def prior_of(findings: Sequence[Findings], names: Sequence[str]) -> np.ndarray:
    """Return the weights (M,) of the methods that are best for all of these columns alike."""
    only_means = np.array([float(name == MEAN) for name in names])
    if sum(len(own.rows) for own in findings) < LEAST_EVIDENCE:
        return only_means
    truth, expected = [], []
    for own in findings:
        unit = own.truth.std() or 1.0
        truth.append((own.truth / unit).ravel())
        expected.append(np.stack([own.expected[name].ravel() / unit for name in names], axis=1))
    rows = np.concatenate(expected)
    return simplex_weights(np.concatenate(truth)[:, None], [rows[:, [m]] for m in range(len(names))], only_means, 1.0)


def filled_evidence(own: Findings, weights: np.ndarray) -> np.ndarray:
    """Return what the mixture of methods expects of the hidden cells of a column, (rows, targets)."""
    used = [(weight, own.expected[name]) for name, weight in zip(METHODS, weights, strict=True) if weight > 0]
    return mixture(np.array([weight for weight, _ in used]), [found for _, found in used])


def errors_of_cells(
    view: TableCells, sample: Sample, findings: Sequence[Findings], weights: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return root mean square and mean of the errors of filled cells, in cells, (F,) each; 1 and 0 if unknown."""
    spread, bias = np.ones(view.width), np.zeros(view.width)
    for group, own, shares in zip(view.groups, findings, weights, strict=True):
        if len(own.rows):
            found = np.zeros((len(own.rows), view.width))
            found[:, group.targets] = filled_evidence(own, shares)
            errors = sample.cells[np.ix_(own.rows, group.targets)] - view.logs(found)[:, group.targets]
            bias[group.targets] = errors.mean(0)
            spread[group.targets] = np.sqrt(((errors - bias[group.targets]) ** 2).mean(0))
    return spread, bias


def kept_trees(
    groups: Sequence[CellGroup], findings: Sequence[Findings], weights: Sequence[np.ndarray]
) -> dict[tuple[int, str], DecisionTrees]:
    """Return the trees that have a share in what fills a column."""
    return {
        (group.column, method): trees
        for group, own, shares in zip(groups, findings, weights, strict=True)
        for method, trees in own.trees.items()
        if shares[METHODS.index(method)] > 0
    }


def floor_of(
    groups: Sequence[CellGroup], findings: Sequence[Findings], weights: Sequence[np.ndarray]
) -> ImputationFloor:
    """Return which column is filled by what, and the error of each method on the hidden cells."""
    return ImputationFloor(
        ColumnFloor(
            group.name,
            "wrong" if group.choices else "sd",
            len(own.rows),
            error_of(group, own.truth, filled_evidence(own, shares)),
            {name: error_of(group, own.truth, found) for name, found in own.expected.items()},
            {name: float(share) for name, share in zip(METHODS, shares, strict=True) if share > 0},
        )
        for group, own, shares in zip(groups, findings, weights, strict=True)
    )


def error_of(group: CellGroup, truth: np.ndarray, found: np.ndarray) -> float:
    """Return the share of wrong choices, or the root mean squared error in standard deviations; NaN without cells."""
    if not len(truth):
        return float("nan")
    if not group.choices:
        return float(np.sqrt(((found - truth) ** 2).mean()) / (truth.std() or 1.0))
    if len(group.targets) == 1:
        return float(((found >= 0.5) != (truth >= 0.5)).mean())
    return float((found.argmax(1) != truth.argmax(1)).mean())
