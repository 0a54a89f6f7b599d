"""How much each method counts in what fills a column: weights that sum to 1, found on hidden cells."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

LEAST_WEIGHT = 0.05
"""Methods with less weight are left out."""
PRIOR_CELLS = 30.0
"""Hidden cells for which the weights of the whole table count as much as those of the column."""
SUM_PENALTY = 1e3
"""Weight of the equation that the weights sum to 1, in units of the errors."""


def simplex_weights(
    truth: np.ndarray,
    predictions: Sequence[np.ndarray],
    prior: np.ndarray | None = None,
    prior_cells: float = PRIOR_CELLS,
) -> np.ndarray:
    """Return the weights (M,) ≥ 0 with sum 1 of M predictions whose mixture has the least squared error.

    Stacked regression (Breiman 1996), in which nothing is worse on these cells than the best of the predictions.

    Parameters
    ----------
    truth : ndarray of shape (n, w)
        What was hidden.
    predictions : sequence of M ndarrays of shape (n, w)
        What each method expected.
    prior : ndarray of shape (M,), optional
        Weights that are kept to where there are few cells.
    prior_cells : float
        Number of cells for which they count.

    Examples
    --------
    >>> truth = np.array([[1.0], [2.0], [3.0]])
    >>> simplex_weights(truth, [truth + 1, truth - 1]).round(2).tolist()
    [0.5, 0.5]
    """
    residuals = np.stack([(truth - prediction).ravel() for prediction in predictions], axis=1)
    size = np.sqrt(max(float((residuals**2).mean()), 1e-300))
    # With weights that sum to 1, the mixture's residual is the mixture of the residuals.
    equations, wanted = [residuals / size], [np.zeros(len(residuals))]
    if prior is not None:
        rate = np.sqrt(prior_cells * truth.shape[1])
        equations.append(rate * np.eye(len(prior)))
        wanted.append(rate * prior)
    equations.append(np.full((1, residuals.shape[1]), SUM_PENALTY * np.sqrt(len(residuals))))
    wanted.append(np.array([SUM_PENALTY * np.sqrt(len(residuals))]))
    found, _ = nnls(np.concatenate(equations), np.concatenate(wanted))
    return found / found.sum()


def without_small(weights: np.ndarray) -> np.ndarray:
    """Return weights (M,) with those under `LEAST_WEIGHT` set to 0 and the others scaled to sum to 1.

    >>> without_small(np.array([0.02, 0.49, 0.49])).tolist()
    [0.0, 0.5, 0.5]
    """
    kept = np.where(weights < LEAST_WEIGHT, 0.0, weights)
    return kept / kept.sum()


def mixture(weights: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Return Σ w_m p_m."""
    return np.tensordot(weights, np.stack(predictions), axes=1)
