"""`ConditionalGaussian`: what a multivariate normal distribution expects of missing cells, given those that are there.

Mean and covariance are found by expectation-maximisation over rows with missing cells (Dempster, Laird and Rubin 1977;
Schafer 1997), with correlations shrunk towards 0. It is the limit that imputation by chained ridge regressions
approaches, found at once for all columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

ITERATIONS = 12
"""Iterations of expectation-maximisation at most."""
TOLERANCE = 1e-3
"""Change of the correlations at which iterations end."""
JITTER = 1e-6
"""Added to the diagonal of correlation matrices before they are factored."""
LEAST_SPREAD = 1e-9
"""Columns whose standard deviation is less than this share of their greatest value count as constant."""

Pattern = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The rows that have the same cells, the positions of these cells, and those of the missing ones."""


@dataclass(frozen=True, eq=False)
class ConditionalGaussian:
    """A normal distribution of rows (F,), and its conditional expectations.

    Parameters
    ----------
    centre : ndarray of shape (F,)
        The means.
    scale : ndarray of shape (F,)
        The unit of each column; 1 for constant ones.
    covariance : ndarray of shape (F, F)
        Covariance of the columns in these units.

    Examples
    --------
    >>> gaussian = ConditionalGaussian(np.zeros(2), np.ones(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> gaussian.expected(np.array([[2.0, np.nan]])).round(3).tolist()
    [[2.0, 1.0]]
    """

    centre: np.ndarray
    scale: np.ndarray
    covariance: np.ndarray

    def expected(self, x: np.ndarray) -> np.ndarray:
        """Return rows x (n, F) with their missing cells (NaN) replaced by their conditional expectations."""
        standard = (x - self.centre) / self.scale
        result = np.array(x, dtype=np.float64)
        for rows, seen, missing in patterns(np.isnan(x)):
            if len(missing):
                regression = self.regression(seen, missing)
                found = times_each_row(standard[rows[:, None], seen], regression)
                result[rows[:, None], missing] = found * self.scale[missing] + self.centre[missing]
        return result

    def regression(self, seen: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return the coefficients (seen, missing) with which cells that are there predict those that are not."""
        if not len(seen):
            return np.zeros((0, len(missing)))
        return cho_solve(factored(self.covariance, seen), self.covariance[seen[:, None], missing])

    def leaving_out(self, x: np.ndarray) -> "LeftOut":
        """Return what is expected of rows x (n, F) when one more group of cells is hidden."""
        return LeftOut(self, x)


class LeftOut:
    """Conditional expectations of the same rows with one group of cells hidden at a time.

    With P the inverse covariance of the cells o that a row has, and v = P (x_o - μ_o), the residual of a hidden group J
    is u = P_JJ⁻¹ v_J, and what is expected of another missing cell changes by -u times its regression on J (Rasmussen
    and Williams 2006, section 5.4.2): nothing is factored again.

    Parameters
    ----------
    gaussian : ConditionalGaussian
        The distribution.
    x : ndarray of shape (n, F)
        Rows, NaN where a cell is missing.
    """

    def __init__(self, gaussian: ConditionalGaussian, x: np.ndarray) -> None:
        self.gaussian = gaussian
        self.standard = (x - gaussian.centre) / gaussian.scale
        self.pieces = []
        self.filled = self.standard.copy()
        for rows, seen, missing in patterns(np.isnan(x)):
            inverse = np.zeros((0, 0))
            if len(seen):
                inverse = cho_solve(factored(gaussian.covariance, seen), np.eye(len(seen)))
            regression = inverse @ gaussian.covariance[seen[:, None], missing]
            cells = self.standard[rows[:, None], seen]
            self.filled[rows[:, None], missing] = cells @ regression
            self.pieces.append((rows, seen, missing, inverse, regression, cells @ inverse))

    def without(self, group: np.ndarray) -> np.ndarray:
        """Return the rows (n, F) as they are expected when the cells of a group (positions) are hidden.

        Cells that are there and not in the group stay; all others are conditional expectations. Rows in which the group
        is missing are as `ConditionalGaussian.expected` gives them.
        """
        found = self.filled.copy()
        in_group = np.zeros(found.shape[1], dtype=bool)
        in_group[group] = True
        for rows, seen, missing, inverse, regression, weighted in self.pieces:
            own = np.flatnonzero(in_group[seen])
            if not len(own):
                continue
            if len(own) == 1:
                residual = weighted[:, own] / inverse[own[0], own[0]]
            else:
                residual = np.linalg.solve(inverse[own[:, None], own], weighted[:, own].T).T
            places = rows[:, None]
            found[places, seen[own]] -= residual
            if len(missing):
                found[places, missing] -= residual @ regression[own]
        return found * self.gaussian.scale + self.gaussian.centre


def fitted_gaussian(
    x: np.ndarray, shrinkage: float, start: ConditionalGaussian | None = None, iterations: int = ITERATIONS
) -> ConditionalGaussian:
    """Fit a normal distribution to rows with missing cells by expectation-maximisation.

    Parameters
    ----------
    x
        (n, F) rows, NaN where a cell is missing.
    shrinkage
        Weight λ ≥ 0 of uncorrelated columns: correlations are divided by 1 + λ.
    start
        Where to begin; None for the means and variances of the cells that are there.
    iterations
        Iterations at most.

    Returns
    -------
    ConditionalGaussian
        A column without any cell has mean 0.
    """
    there = ~np.isnan(x)
    centre, scale = (start.centre, start.scale) if start is not None else location_and_scale(x, there)
    standard = (x - centre) / scale
    covariance = np.diag((np.nan_to_num(standard) ** 2).sum(0) / np.maximum(there.sum(0), 1))
    if start is not None:
        covariance = start.covariance
    mean = np.zeros(x.shape[1])
    gaps = list(patterns(~there))
    for _ in range(iterations):
        mean, found = maximised(standard, gaps, mean, covariance)
        found = (found + shrinkage * np.diag(np.diag(found))) / (1 + shrinkage)
        moved = np.abs(found - covariance).max()
        covariance = found
        if moved < TOLERANCE:
            break
    return ConditionalGaussian(centre + scale * mean, scale, covariance)


def maximised(
    standard: np.ndarray,
    gaps: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    mean: np.ndarray,
    covariance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (F,) and covariance (F, F) of one more iteration."""
    gaussian = ConditionalGaussian(mean, np.ones(len(mean)), covariance)
    filled, uncertain = standard.copy(), np.zeros_like(covariance)
    for rows, seen, missing in gaps:
        if not len(missing):
            continue
        regression = gaussian.regression(seen, missing)
        filled[rows[:, None], missing] = (standard[rows[:, None], seen] - mean[seen]) @ regression + mean[missing]
        rest = covariance[missing[:, None], missing] - covariance[missing[:, None], seen] @ regression
        uncertain[missing[:, None], missing] += len(rows) * rest
    new = filled.mean(0)
    centred = filled - new
    return new, (centred.T @ centred + uncertain) / len(standard)


def location_and_scale(x: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the cells of each column that are there, (F,); 1 for constant columns."""
    count = np.maximum(there.sum(0), 1)
    cells = np.where(there, x, 0.0)
    centre = cells.sum(0) / count
    spread = np.sqrt((np.where(there, x - centre, 0.0) ** 2).sum(0) / count)
    return centre, np.where(spread > LEAST_SPREAD * np.abs(cells).max(0, initial=0.0), spread, 1.0)


def patterns(missing: np.ndarray) -> Iterator[Pattern]:
    """Yield the patterns of missing cells (n, F)."""
    if not len(missing):
        return
    kinds, which = np.unique(missing, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    edges = np.cumsum(np.bincount(which.ravel(), minlength=len(kinds)))[:-1]
    for kind, rows in zip(kinds, np.split(order, edges), strict=True):
        yield rows, np.flatnonzero(~kind), np.flatnonzero(kind)


def factored(covariance: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the Cholesky factor of the covariance of some columns, kept clear of singular."""
    part = covariance[seen[:, None], seen]
    part.flat[:: len(seen) + 1] += JITTER * max(1.0, float(part.diagonal().max(initial=0.0)))
    factor: tuple[np.ndarray, bool] = cho_factor(part, lower=True, overwrite_a=True, check_finite=False)
    return factor


def times_each_row(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return rows (n, F) @ matrix (F, K), each row summed on its own: its bits do not depend on its neighbours."""
    return np.stack([row @ matrix for row in rows]) if len(rows) else rows @ matrix
