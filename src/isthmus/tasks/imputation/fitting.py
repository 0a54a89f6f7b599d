"""Fitting a `Filling`: methods are fitted, asked about hidden cells, and mixed column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.engine.compute import Compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.imputation.blending import mixture, simplex_weights, without_small
from isthmus.tasks.imputation.column_trees import FOREST_ROWS, LEAST_CELLS, grown
from isthmus.tasks.imputation.decision_trees import DecisionTrees
from isthmus.tasks.imputation.evidence import (
    EVIDENCE_ROWS,
    FOLDS,
    MOST_CELLS,
    QUANTILES,
    SHRINKAGES,
    FoldedGaussians,
    Sample,
    folded_gaussians,
    network_expectations,
)
from isthmus.tasks.imputation.filling import (
    AUTOENCODER,
    GAUSSIAN,
    LOG_GAUSSIAN,
    MEAN,
    METHODS,
    RESIDUAL_TREES,
    TREES,
    Filling,
    shares_of,
)
from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells, hidden_together

LEAST_EVIDENCE = 10
"""Hidden cells of a table from which methods are mixed; with fewer, columns get their means."""


def sample_of(numbers: np.ndarray, view: TableCells, members: int, generator: np.random.Generator) -> Sample:
    """Draw the rows that methods are fitted to and compared on; rows of the folds that models validate come first."""
    most = FOREST_ROWS + EVIDENCE_ROWS
    chosen = generator.permutation(len(numbers))[:most]
    fold = np.arange(len(chosen)) % max(FOLDS, members)
    compared = np.flatnonzero(fold < members)[:EVIDENCE_ROWS] if len(chosen) >= 2 * FOLDS else np.arange(0)
    training = np.ones(len(chosen), dtype=bool)
    if len(chosen) > FOREST_ROWS:
        training[compared] = False
    return Sample(numbers[chosen], view.cells(numbers[chosen]), fold, compared, training, chosen)


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


def fit_filling(
    view: TableCells,
    sample: Sample,
    models: Sequence[FittedModel],
    machine: Compute,
    methods: Sequence[str],
    seed: int,
) -> Filling:
    """Fit all methods to a sample, compare them on hidden cells, and mix them column by column.

    Parameters
    ----------
    view
        The table as cells.
    sample
        Rows of it.
    models
        Autoencoders, each of which was validated by one fold of the sample.
    machine
        Where and with how many threads they compute.
    methods
        Which of `METHODS` may fill columns, beside the mean.
    seed
        Of the trees.
    """
    hidden = hidden_together(view.groups, np.isnan(sample.cells))
    outcomes = view.outcomes(sample.cells)
    gaussians = fitted_gaussians(view, sample, outcomes, methods)
    asked = {}
    for name, found in gaussians.items():
        rows = rows_for(name, sample.cells, outcomes)[sample.compared]
        few = found.hiding(rows, sample.fold[sample.compared])
        asked[name] = [few.without(cells) for cells in hidden]
    if AUTOENCODER in methods and len(sample.compared):
        asked[AUTOENCODER] = network_expectations(models, view, sample, hidden, machine)
    residuals = {
        name: log_residuals(view, sample, asked[name]) for name in (LOG_GAUSSIAN, AUTOENCODER) if name in asked
    }
    filling = Filling(
        *moments_of(outcomes),
        gaussians={name: found.whole for name, found in gaussians.items()},
        features_from="",
        residuals=residuals,
        trees={},
        weights={},
        spread=np.ones(view.width),
        bias=np.zeros(view.width),
        floor=ImputationFloor(),
    )
    answers = {name: [filling.as_outcomes(view, name, rows) for rows in found] for name, found in asked.items()}
    best = best_gaussian(view, outcomes[sample.compared], answers)
    completed = gaussians[best].hiding(rows_for(best, sample.cells, outcomes), sample.fold) if best else None
    findings = []
    for place, group in enumerate(view.groups):
        at = ~np.isnan(sample.cells[sample.compared, group.targets[0]])
        rows = sample.compared[at]
        expected = {MEAN: np.broadcast_to(filling.mean[group.targets], (len(rows), len(group.targets)))}
        expected |= {name: found[place][np.ix_(at, group.targets)] for name, found in answers.items()}
        trees: dict[str, DecisionTrees] = {}
        if TREES in methods and completed is not None:
            features = completed.without(hidden[place])
            rest = filling.as_outcomes(view, best, features)[:, group.targets]
            trees, unseen = grown_for(group, features, outcomes, rest, sample.training, seed)
            expected |= {name: found[rows] for name, found in unseen.items()}
        allowed = {name: found for name, found in expected.items() if name in (MEAN, RESIDUAL_TREES, *methods)}
        findings.append(Findings(rows, outcomes[np.ix_(rows, group.targets)], allowed, trees))
    weights = mixed(view.groups, findings)
    spread, bias = errors_of_cells(view, sample, findings, weights)
    return replace(
        filling,
        features_from=best,
        trees=kept_trees(view.groups, findings, weights),
        weights={group.column: shares for group, shares in zip(view.groups, weights, strict=True)},
        spread=spread,
        bias=bias,
        floor=floor_of(view.groups, findings, weights),
    )


def fitted_gaussians(
    view: TableCells, sample: Sample, outcomes: np.ndarray, methods: Sequence[str]
) -> dict[str, FoldedGaussians]:
    """Return the normal distributions of a sample by method; none for wide tables and for very few rows."""
    needed = [name for name in SHRINKAGES if name in methods]
    if TREES in methods and not needed:
        needed = [GAUSSIAN]
    if not len(view.log_cells):
        needed = [name for name in needed if name != LOG_GAUSSIAN]
    if view.width > MOST_CELLS or len(outcomes) < 2 * FOLDS:
        return {}
    return {
        name: folded_gaussians(rows_for(name, sample.cells, outcomes), sample.fold, SHRINKAGES[name]) for name in needed
    }


def rows_for(method: str, cells: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Return what a normal distribution sees of rows: cells on logarithmic scales, or outcomes (n, F)."""
    return cells if method == LOG_GAUSSIAN else outcomes


def moments_of(outcomes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, minimum and maximum of the outcomes of each cell that are there, (F,) each; 0 where none is."""
    there = ~np.isnan(outcomes)
    count = there.sum(0)
    mean = np.where(there, outcomes, 0.0).sum(0) / np.maximum(count, 1)
    smallest = np.where(there, outcomes, np.inf).min(0, initial=np.inf)
    largest = np.where(there, outcomes, -np.inf).max(0, initial=-np.inf)
    return mean, np.where(count > 0, smallest, 0.0), np.where(count > 0, largest, 0.0)


def log_residuals(view: TableCells, sample: Sample, found: Sequence[np.ndarray]) -> np.ndarray:
    """Return quantiles (Q, log cells) of the errors of expected cells on logarithmic scales."""
    quantiles = np.zeros((len(QUANTILES), len(view.log_cells)))
    place_of = {int(cell): place for place, group in enumerate(view.groups) for cell in group.targets}
    for column, cell in enumerate(view.log_cells):
        errors = sample.cells[sample.compared, cell] - found[place_of[int(cell)]][:, cell]
        errors = errors[~np.isnan(errors)]
        if len(errors):
            quantiles[:, column] = np.quantile(errors, QUANTILES)
    return quantiles


def best_gaussian(view: TableCells, outcomes: np.ndarray, answers: Mapping[str, Sequence[np.ndarray]]) -> str:
    """Return which normal distribution expects hidden outcomes (compared, F) best; "" if there is none."""
    unit = np.nanstd(outcomes, axis=0) if len(outcomes) else np.ones(view.width)
    errors = {}
    for name in SHRINKAGES:
        if name in answers:
            pairs = zip(view.groups, answers[name], strict=True)
            ratios = [
                (outcomes[:, group.targets] - found[:, group.targets]) / np.maximum(unit[group.targets], 1e-12)
                for group, found in pairs
            ]
            errors[name] = sum(float(np.nanmean(ratio**2)) for ratio in ratios if np.isfinite(ratio).any())
    return min(errors, key=lambda name: errors[name]) if errors else ""


def grown_for(
    group: CellGroup, features: np.ndarray, outcomes: np.ndarray, rest: np.ndarray, training: np.ndarray, seed: int
) -> tuple[dict[str, DecisionTrees], dict[str, np.ndarray]]:
    """Grow trees for a column; return them and what they expect of rows that they have not seen, (n, targets).

    Parameters
    ----------
    group
        The cells of the column.
    features
        (n, F) rows, completed with the column hidden.
    outcomes
        (n, F) outcomes, NaN where missing.
    rest
        (n, targets) what is subtracted before trees are grown on what is left.
    training
        (n,) bool, rows to grow on.
    seed
        Of the trees.
    """
    there = ~np.isnan(outcomes[:, group.targets[0]])
    trees: dict[str, DecisionTrees] = {}
    found: dict[str, np.ndarray] = {}
    if (there & training).sum() < LEAST_CELLS:
        return trees, found
    own = outcomes[np.ix_(there, group.targets)]
    targets: dict[str, np.ndarray] = {TREES: own[:, 0], RESIDUAL_TREES: own[:, 0] - rest[there, 0]}
    classes = 0
    if group.choices:
        classes = max(2, len(group.targets))
        targets = {TREES: (own.argmax(1) if len(group.targets) > 1 else own[:, 0] >= 0.5).astype(np.int64)}
    for method, target in targets.items():
        result = grown(features[there], target, training[there], classes, not training.all(), seed)
        trees[method] = result.trees
        found[method] = np.full((len(outcomes), len(group.targets)), np.nan)
        found[method][there] = shares_of(group, result.unseen)
    if RESIDUAL_TREES in found:
        found[RESIDUAL_TREES] += rest
    return trees, found


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
