"""Draws of missing cells, for multiple imputation."""

import numpy as np

from isthmus.engine.compute import Compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.imputation.filling import Filling
from isthmus.tasks.imputation.members import drawn_cells
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells

LEAST_MEAN = 1e-6
"""Expected counts below it are not scaled by."""


def drawn_outcomes(
    filling: Filling, view: TableCells, outcomes: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return plausible outcomes (n, F) about expected ones: numbers with the spread of errors on hidden cells."""
    noise = generator.standard_normal(outcomes.shape)
    found = view.outcomes(view.logs(outcomes) + filling.bias + filling.spread * noise)
    for group in view.groups:
        if group.choices:
            found[:, group.targets] = drawn_choices(group, outcomes[:, group.targets], generator)
    return found


def drawn_choices(group: CellGroup, shares: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return zeros and ones (n, targets) by their probabilities."""
    places = generator.random((len(shares), 1))
    if len(group.targets) == 1:
        return (places < shares).astype(np.float64)
    shares = np.clip(shares, 0, None)
    edges = np.cumsum(shares / np.maximum(shares.sum(1, keepdims=True), 1e-300), axis=1)
    chosen = np.minimum((places > edges).sum(1), shares.shape[1] - 1)
    return np.eye(shares.shape[1])[chosen]


def drawn_counts(
    view: TableCells, model: FittedModel, numbers: np.ndarray, outcomes: np.ndarray, machine: Compute, seed: int
) -> np.ndarray:
    """Return counts (n, counts) as the model's likelihood draws them, scaled from its means to the expected ones."""
    drawn, mean = (cells[:, view.counted] for cells in drawn_cells(model, numbers, machine, seed))
    expected = np.maximum(outcomes[:, view.counted], 0)
    return np.where(mean > LEAST_MEAN, drawn * expected / np.maximum(mean, LEAST_MEAN), expected)
