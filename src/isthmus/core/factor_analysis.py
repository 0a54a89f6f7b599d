"""Factor analysis: a Gaussian with a few common factors and noise of every column's own, from a covariance matrix."""

import math
from typing import NamedTuple

import numpy as np
import scipy.linalg

STEPS, CLOSE = 20, 1e-3
"""Steps at most, and the relative change of all noise variances at which they end."""


class FactorModel(NamedTuple):
    """x ~ N(mean, W Wᵀ + Ψ): K factors, and noise that is independent between groups of columns."""

    mean: np.ndarray
    """(F,)"""
    loadings: np.ndarray
    """W, (F, K)."""
    noise: np.ndarray
    """Ψ, (F, F), positive definite; diagonal if every column is a group of its own."""

    def log_densities(self, x: np.ndarray) -> np.ndarray:
        """Return log p(x) of rows (n, F), (n,), in nats.

        >>> model = FactorModel(np.zeros(2), np.array([[3.0], [0.0]]), np.eye(2))
        >>> expected = -0.5 * (np.log(10) + 2 * np.log(2 * np.pi))  # N(0, diag(10, 1)) at 0
        >>> bool(np.isclose(model.log_densities(np.zeros((1, 2)))[0], expected))
        True
        """
        root = np.linalg.cholesky(self.noise)
        whitened = solved(root, (x - self.mean).T)
        scaled = solved(root, self.loadings)
        # Woodbury: with A = Ψ^-½ W, (I + A Aᵀ)⁻¹ = I - A (I + Aᵀ A)⁻¹ Aᵀ.
        factor = np.linalg.cholesky(np.eye(scaled.shape[1]) + scaled.T @ scaled)
        explained = solved(factor, scaled.T @ whitened)
        squares = (whitened**2).sum(0) - (explained**2).sum(0)
        log_determinant = 2 * np.log(np.diag(root)).sum() + 2 * np.log(np.diag(factor)).sum()
        found: np.ndarray = -0.5 * (squares + log_determinant + len(self.mean) * math.log(2 * math.pi))
        return found


def factor_analysis(
    mean: np.ndarray,
    covariance: np.ndarray,
    factors: int,
    *,
    groups: np.ndarray,
    floor: np.ndarray,
    share: float,
    noise: np.ndarray,
    steps: int = STEPS,
) -> FactorModel:
    """Fit factors to a covariance matrix, by turns with the noise (Jöreskog 1967; Barber 2012, section 21.2.2).

    Given Ψ, the best loadings are Ψ^½ U (Λ - I)^½ from leading eigenvectors of Ψ^-½ C Ψ^-T/2; given these, Ψ is what
    they leave within each group. What the columns of a group, such as the cells of a category, have in common is thus
    no factor (inter-battery factor analysis: Tucker 1958, Klami et al. 2015).

    Parameters
    ----------
    mean, covariance
        (F,) and (F, F).
    factors
        K, at most F.
    groups
        (F,) the group of each column.
    floor
        (F,) least noise variances, above 0.
    share
        Weight in [0, 1] of the columns' mean noise in the noise of each, which few rows do not tell.
    noise
        (F, F) noise to begin with.
    steps
        How often the loadings are found at most.
    """
    together = groups[:, None] == groups
    places = np.diag_indices(len(mean))
    loadings = np.zeros((len(mean), 0))
    for _ in range(steps):
        root = np.linalg.cholesky(noise)
        if factors:
            values, vectors = leading(solved(root, solved(root, covariance).T), factors)
            loadings = root @ (vectors * np.sqrt(np.maximum(values - 1, 0)))
        left = np.where(together, covariance - loadings @ loadings.T, 0)
        variances = np.maximum(left[places], 0)
        update = (1 - share) * left
        update[places] = np.maximum((1 - share) * variances + share * variances.mean(), floor)
        change = np.abs(update[places] / noise[places] - 1).max()
        noise = update if len(np.unique(groups)) == len(groups) else definite(update, floor)
        if change < CLOSE:
            break
    return FactorModel(mean, loadings, noise)


def definite(noise: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return noise (F, F) that is positive definite although columns of a group add up, as the cells of a category."""
    found: np.ndarray = noise + np.diag(floor)
    return found


def solved(root: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return L⁻¹ B for a lower triangular L."""
    found: np.ndarray = scipy.linalg.solve_triangular(root, right, lower=True, check_finite=False)
    return found


def leading(symmetric: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the greatest eigenvalues (count,) of a symmetric matrix, and their eigenvectors (F, count)."""
    size = len(symmetric)
    values, vectors = scipy.linalg.eigh(symmetric, subset_by_index=(size - count, size - 1), check_finite=False)
    return values, vectors
