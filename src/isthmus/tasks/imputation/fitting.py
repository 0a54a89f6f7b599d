"""Fitting a `Filling`: methods are fitted, asked about hidden cells, and mixed column by column."""

from collections.abc import Mapping, Sequence

import numpy as np

from isthmus.core.conditional_gaussian import location_and_scale
from isthmus.engine.compute import Compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.imputation.column_trees import FOREST_ROWS, LEAST_CELLS, grown
from isthmus.tasks.imputation.comparison import Findings, errors_of_cells, floor_of, kept_trees, mixed
from isthmus.tasks.imputation.decision_trees import DecisionTrees
from isthmus.tasks.imputation.evidence import (
    EVIDENCE_ROWS,
    FOLDS,
    LEAST_ROWS,
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
    RESIDUAL_TREES,
    TREES,
    Filling,
    shares_of,
)
from isthmus.tasks.imputation.outcome_scale import OutcomeScale
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells, hidden_together


def sample_of(numbers: np.ndarray, view: TableCells, members: int, generator: np.random.Generator) -> Sample:
    """Draw the rows that methods are fitted to and compared on; rows of the folds that models validate come first."""
    most = FOREST_ROWS + EVIDENCE_ROWS
    chosen = generator.permutation(len(numbers))[:most]
    fold = np.arange(len(chosen)) % max(FOLDS, members)
    compared = np.flatnonzero(fold < members)[:EVIDENCE_ROWS] if len(chosen) >= LEAST_ROWS else np.arange(0)
    training = np.ones(len(chosen), dtype=bool)
    if len(chosen) > FOREST_ROWS:
        training[compared] = False
    return Sample(numbers[chosen], view.cells(numbers[chosen]), fold, compared, training, chosen)


def fit_filling(
    view: TableCells,
    sample: Sample,
    models: Sequence[FittedModel],
    machine: Compute,
    methods: Sequence[str],
    unrelated: Sequence[int],
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
    unrelated
        Columns (places) that no method sees; they get their mean.
    seed
        Of the trees.
    """
    hidden = hidden_together(view.groups, np.isnan(sample.cells))
    outcomes = view.outcomes(sample.cells)
    shown = sample.without(view, unrelated)
    seen = view.outcomes(shown.cells)
    gaussians = fitted_gaussians(view, shown, seen, methods)
    asked = expected_of_gaussians(shown, seen, gaussians, hidden)
    if AUTOENCODER in methods and len(sample.compared):
        asked[AUTOENCODER] = network_expectations(models, view, shown, hidden, machine)
    on_logs = (name for name in (LOG_GAUSSIAN, AUTOENCODER) if name in asked)
    scale = OutcomeScale.of(outcomes, {name: log_residuals(view, shown, asked[name]) for name in on_logs})
    answers = {name: [scale.outcomes(view, name, rows) for rows in found] for name, found in asked.items()}
    best = best_gaussian(view, seen[sample.compared], answers)
    findings = compared_methods(view, sample, scale, outcomes, answers)
    if TREES in methods and best:
        completed = gaussians[best].hiding(rows_for(best, shown.cells, seen), sample.fold)
        for place, group in enumerate(view.groups):
            if group.column in unrelated:
                continue
            features = completed.without(hidden[place])
            rest = scale.outcomes(view, best, features)[:, group.targets]
            trees, unseen = grown_for(group, features, seen, rest, sample.training, seed)
            findings[place] = findings[place].with_trees(trees, unseen)
    allowed = [(MEAN,) if group.column in unrelated else (MEAN, RESIDUAL_TREES, *methods) for group in view.groups]
    findings = [own.of_methods(names) for own, names in zip(findings, allowed, strict=True)]
    weights = mixed(view.groups, findings)
    return Filling(
        scale,
        {name: found.whole for name, found in gaussians.items()},
        best,
        tuple(unrelated),
        kept_trees(view.groups, findings, weights),
        {group.column: shares for group, shares in zip(view.groups, weights, strict=True)},
        *errors_of_cells(view, sample, findings, weights),
        floor_of(view.groups, findings, weights),
    )


def expected_of_gaussians(
    sample: Sample, outcomes: np.ndarray, gaussians: Mapping[str, FoldedGaussians], hidden: Sequence[np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Return, for each normal distribution and group, what it expects of the compared rows with that group hidden."""
    asked = {}
    for name, found in gaussians.items():
        rows = rows_for(name, sample.cells, outcomes)[sample.compared]
        compared = found.hiding(rows, sample.fold[sample.compared])
        asked[name] = [compared.without(cells) for cells in hidden]
    return asked


def compared_methods(
    view: TableCells,
    sample: Sample,
    scale: OutcomeScale,
    outcomes: np.ndarray,
    answers: Mapping[str, Sequence[np.ndarray]],
) -> list[Findings]:
    """Return for each group what the mean and these methods expect of it, in the compared rows that have it."""
    findings = []
    for place, group in enumerate(view.groups):
        at = ~np.isnan(sample.cells[sample.compared, group.targets[0]])
        rows = sample.compared[at]
        expected = {MEAN: np.broadcast_to(scale.mean[group.targets], (len(rows), len(group.targets)))}
        expected |= {name: found[place][np.ix_(at, group.targets)] for name, found in answers.items()}
        findings.append(Findings(rows, outcomes[np.ix_(rows, group.targets)], expected, {}))
    return findings


def fitted_gaussians(
    view: TableCells, sample: Sample, outcomes: np.ndarray, methods: Sequence[str]
) -> dict[str, FoldedGaussians]:
    """Return the normal distributions of a sample by method; none for wide tables and for very few rows."""
    needed = [name for name in SHRINKAGES if name in methods]
    if TREES in methods and not needed:
        needed = [GAUSSIAN]
    if not len(view.log_cells):
        needed = [name for name in needed if name != LOG_GAUSSIAN]
    if view.width > MOST_CELLS or len(outcomes) < LEAST_ROWS:
        return {}
    return {
        name: folded_gaussians(rows_for(name, sample.cells, outcomes), sample.fold, SHRINKAGES[name]) for name in needed
    }


def rows_for(method: str, cells: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Return what a normal distribution sees of rows: cells on logarithmic scales, or outcomes (n, F)."""
    return cells if method == LOG_GAUSSIAN else outcomes


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
    _, unit = location_and_scale(outcomes, ~np.isnan(outcomes))
    errors = {}
    for name in SHRINKAGES:
        if name in answers:
            pairs = zip(view.groups, answers[name], strict=True)
            ratios = [
                (outcomes[:, group.targets] - found[:, group.targets]) / unit[group.targets] for group, found in pairs
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
