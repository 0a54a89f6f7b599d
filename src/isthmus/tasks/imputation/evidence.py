"""Evidence: what each method expects of cells that are there, but were hidden from it.

Every expectation comes from something that has not seen the row: normal distributions and autoencoders of other folds,
and trees that were grown without it. With the column also those are hidden that are usually missing with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.core.conditional_gaussian import ConditionalGaussian, LeftOut, fitted_gaussian
from isthmus.engine.compute import Compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.imputation.filling import GAUSSIAN, LOG_GAUSSIAN, SHRUNK
from isthmus.tasks.imputation.members import expected_cells
from isthmus.tasks.imputation.table_cells import TableCells

FOLDS = 5
"""Parts of the rows, of which each is predicted by what was fitted to the others."""
SHRINKAGES = {GAUSSIAN: 0.03, SHRUNK: 1.0, LOG_GAUSSIAN: 0.1}
"""Shrinkage of correlations, in units of the number of cells over the number of rows."""
LEAST_SHRINKAGE = 1e-4
MOST_CELLS = 256
"""Tables with more cells per row are filled by autoencoders and means alone."""
GAUSSIAN_ROWS, ROWS_PER_CELL = 1000, 30
"""Rows at most from which a normal distribution is found: this many, or so many per cell."""
REFINEMENTS = 3
"""Iterations with which the distribution of all rows becomes that of the rows outside of a fold."""
SMALL = 150
"""Up to this many rows the distributions of folds are found from the beginning."""
EVIDENCE_ROWS = 1000
"""Rows at most on whose cells methods are compared."""
QUANTILES = (np.arange(31) + 0.5) / 31


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows that methods other than autoencoders are fitted to.

    Parameters
    ----------
    numbers : ndarray of shape (n, R)
    cells : ndarray of shape (n, F)
    fold : ndarray of shape (n,)
        The part of the rows that each belongs to.
    compared : ndarray of shape (m,)
        Rows on whose cells methods are compared.
    training : ndarray of shape (n,), bool
        Rows that trees are grown on.
    chosen : ndarray of shape (n,)
        Which rows of the table they are.
    """

    numbers: np.ndarray
    cells: np.ndarray
    fold: np.ndarray
    compared: np.ndarray
    training: np.ndarray
    chosen: np.ndarray


@dataclass(frozen=True, eq=False)
class FoldedGaussians:
    """A normal distribution of the rows, and what the distributions of other folds expect of each."""

    whole: ConditionalGaussian
    left_out: Sequence[tuple[np.ndarray, LeftOut]]
    """The rows of each fold, and their expectations."""

    def without(self, hidden: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Return the rows of the sample (n, F) as they are expected with these cells hidden."""
        found = np.empty(shape)
        for rows, expectations in self.left_out:
            found[rows] = expectations.without(hidden)
        return found


def folded_gaussians(rows: np.ndarray, folds: np.ndarray, shrinkage: float) -> FoldedGaussians:
    """Fit a normal distribution to rows (n, F), and one to the rows outside of each of the folds (n,)."""
    few = np.arange(min(len(rows), max(GAUSSIAN_ROWS, ROWS_PER_CELL * rows.shape[1])))
    cells, fold = rows[few], folds[few]
    weight = shrinkage * cells.shape[1] / len(cells) + LEAST_SHRINKAGE
    whole = fitted_gaussian(cells, weight)
    pieces = []
    for part in np.unique(folds):
        others = cells[fold != part]
        own = np.flatnonzero(folds == part)
        if len(cells) <= SMALL:
            distribution = fitted_gaussian(others, weight)
        else:
            distribution = fitted_gaussian(others, weight, whole, REFINEMENTS)
        pieces.append((own, distribution.leaving_out(rows[own])))
    return FoldedGaussians(whole, pieces)


def network_expectations(
    models: Sequence[FittedModel], view: TableCells, sample: Sample, hidden: Sequence[np.ndarray], machine: Compute
) -> list[np.ndarray]:
    """Return, for each group, what the models expect of the compared rows with it hidden, (compared, F).

    Each row is predicted by the model whose training it validated; rows of other folds are NaN.
    """
    found = [np.full((len(sample.compared), view.width), np.nan) for _ in hidden]
    for part, model in enumerate(models):
        own = np.flatnonzero(sample.fold[sample.compared] == part)
        if not len(own):
            continue
        for place, cells in enumerate(hidden):
            numbers = sample.numbers[sample.compared[own]].copy()
            numbers[:, view.numbers_of_cells(cells)] = np.nan
            found[place][own] = expected_cells(model, numbers, machine)
    return found
