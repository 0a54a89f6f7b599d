"""`OutcomeScale`: from what methods expect of cells to outcomes within the range of the training rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.tasks.imputation.table_cells import TableCells

REACH = 3.0
"""Cells further outside of the range of what was there in `fit` than so many times its width count as missing."""


@dataclass(frozen=True, eq=False)
class OutcomeScale:
    """The outcomes of the training rows, and what methods miss them by.

    Parameters
    ----------
    mean, smallest, largest : ndarray of shape (F,)
        Mean outcome of each cell, and the range of those that were there.
    residuals : mapping
        For each method that sees skewed columns on logarithmic scales, quantiles (Q, log cells) of its errors there.
    """

    mean: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    residuals: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, outcomes: np.ndarray, residuals: Mapping[str, np.ndarray]) -> "OutcomeScale":
        """Return the scale of outcomes (n, F), NaN where missing; 0 for a cell that is always missing."""
        there = ~np.isnan(outcomes)
        count = there.sum(0)
        mean = np.where(there, outcomes, 0.0).sum(0) / np.maximum(count, 1)
        smallest = np.where(there, outcomes, np.inf).min(0, initial=np.inf)
        largest = np.where(there, outcomes, -np.inf).max(0, initial=-np.inf)
        return cls(mean, np.where(count > 0, smallest, 0.0), np.where(count > 0, largest, 0.0), residuals)

    def outcomes(self, view: TableCells, method: str, rows: np.ndarray) -> np.ndarray:
        """Return what a method expects of rows, (n, F), as outcomes within the range of those that were there."""
        if method in self.residuals:
            rows = view.expected_outcomes(rows, self.residuals[method])
        return np.clip(rows, self.smallest, self.largest)

    def within_reach(self, view: TableCells, cells: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return cells (n, F) and numbers (n, R) without those far outside of all that were there in `fit`.

        What is so far out is an error or the beginning of something new, and tells nothing about the other cells.
        """
        reach = REACH * (self.largest - self.smallest)
        outcomes = view.outcomes(cells)
        with np.errstate(invalid="ignore"):
            far = (outcomes > self.largest + reach) | (outcomes < self.smallest - reach)
        if not far.any():
            return cells, numbers
        cells, numbers = cells.copy(), numbers.copy()
        for group in view.groups:
            if not group.choices:
                rows = far[:, group.targets].any(1)
                cells[np.ix_(rows, group.cells)] = np.nan
                numbers[np.ix_(rows, view.numbers_of_cells(group.cells))] = np.nan
        return cells, numbers
