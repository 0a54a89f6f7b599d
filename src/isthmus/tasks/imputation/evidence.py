"""Evidence: what each method expects of cells that are there, but were hidden from it.

Every expectation comes from something that has not seen the row: normal distributions and autoencoders of other folds,
and trees that were grown without it. With the column also those are hidden that are usually missing with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.core.conditional_gaussian import ITERATIONS, ConditionalGaussian, LeftOut, fitted_gaussian
from isthmus.engine.compute import Compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.imputation.filling import GAUSSIAN, LOG_GAUSSIAN, SHRUNK
from isthmus.tasks.imputation.members import expected_cells
from isthmus.tasks.imputation.table_cells import TableCells

FOLDS = 4
"""Parts of the rows, of which each is predicted by what was fitted to the others."""
LEAST_ROWS = 10
"""Methods are not compared on fewer rows."""
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

    def without(self, view: TableCells, columns: Sequence[int]) -> "Sample":
        """Return the sample with all cells of these columns (places) missing."""
        numbers, cells = view.hiding(columns, self.numbers, self.cells)
        return replace(self, numbers=numbers, cells=cells)


@dataclass(frozen=True, eq=False)
class FoldedGaussians:
    """A normal distribution of the rows, and those of the rows outside of each fold, by the number of the fold."""

    whole: ConditionalGaussian
    outside: Mapping[int, ConditionalGaussian]

    def hiding(self, rows: np.ndarray, folds: np.ndarray) -> "HiddenRows":
        """Return what is expected of rows (n, F), of these folds (n,), with cells hidden."""
        own = {part: np.flatnonzero(folds == part) for part in self.outside}
        return HiddenRows(
            rows.shape, [(own[part], found.leaving_out(rows[own[part]])) for part, found in self.outside.items()]
        )


@dataclass(frozen=True, eq=False)
class HiddenRows:
    """Rows of which cells are hidden, each expected by the distribution of other folds."""

    shape: tuple[int, ...]
    pieces: Sequence[tuple[np.ndarray, LeftOut]]

    def without(self, hidden: np.ndarray) -> np.ndarray:
        """Return the rows (n, F) as they are expected with these cells hidden."""
        found = np.empty(self.shape)
        for rows, expectations in self.pieces:
            found[rows] = expectations.without(hidden)
        return found


def folded_gaussians(rows: np.ndarray, folds: np.ndarray, shrinkage: float) -> FoldedGaussians:
    """Fit a normal distribution to rows (n, F), and one to the rows outside of each of the folds (n,)."""
    few = np.arange(min(len(rows), max(GAUSSIAN_ROWS, ROWS_PER_CELL * rows.shape[1])))
    cells, fold = rows[few], folds[few]
    weight = shrinkage * cells.shape[1] / len(cells) + LEAST_SHRINKAGE
    whole = fitted_gaussian(cells, weight)
    start = (None, ITERATIONS) if len(cells) <= SMALL else (whole, REFINEMENTS)
    outside = {int(part): fitted_gaussian(cells[fold != part], weight, *start) for part in np.unique(folds)}
    return FoldedGaussians(whole, outside)


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
