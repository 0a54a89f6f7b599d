"""Conformal p-values: the probability that a normal row scores as high as a given one. Higher scores are odder.

The scores of new rows are compared with those of calibration rows, which the model did not see in training. No
distribution is assumed: if the calibration rows and a normal new row are exchangeable, the p-value of that row is at
most a with a probability of at most a, whatever the model and the scores are.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control

from isthmus.core.checks import is_number
from isthmus.tasks.anomaly.thresholds import checked_scores

ROUNDING = 1e-12
"""Relative amount by which a p-value may exceed a level that it would equal without rounding."""


def split(calibration: ArrayLike, scores: ArrayLike, *, uniforms: ArrayLike | None = None) -> np.ndarray:
    """Return the split-conformal p-values (1 + #{calibration >= s}) / (n + 1).

    Calibration rows with exactly the same score count as higher, so that with ties p-values are too large rather than
    too small. With `uniforms` they are smoothed instead, (#{calibration > s} + U (1 + #{calibration = s})) / (n + 1);
    smoothed p-values of normal rows are exactly uniform on [0, 1], with or without ties.

    Parameters
    ----------
    calibration : array of shape (n,), n at least 1
        Scores of rows that the model has not seen.
    scores : array of shape (m,)
        Scores of the new rows, by the same model.
    uniforms : array of shape (m,), optional
        Numbers drawn from [0, 1), one per new row.

    Returns
    -------
    ndarray of shape (m,)
        At least 1 / (n + 1); at least 0 if smoothed. P-values within a batch are dependent through the calibration
        rows they share, in a way under which Benjamini-Hochberg stays valid (Bates et al. 2023, theorem 2).

    References
    ----------
    V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", Springer, 2005.
    S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal p-values", AoS 51, 2023.

    Examples
    --------
    >>> split([1.0, 2.0, 3.0], [0.5, 2.0, 9.0]).tolist()
    [1.0, 0.75, 0.25]
    """
    ordered = np.sort(checked_scores(calibration, "calibration scores"))
    scores = _batch(scores)
    n = len(ordered)
    not_lower = n - np.searchsorted(ordered, scores, side="left")
    if uniforms is None:
        return (1 + not_lower) / (n + 1)
    higher = n - np.searchsorted(ordered, scores, side="right")
    return (higher + np.asarray(uniforms) * (1 + not_lower - higher)) / (n + 1)


def weighted(calibration: ArrayLike, scores: ArrayLike, weights: ArrayLike, own_weights: ArrayLike) -> np.ndarray:
    """Return p-values for new rows if some kinds of rows are more frequent among them than in the calibration rows.

    p = (Σ wᵢ 1{calibrationᵢ >= s} + w(x)) / (Σ wᵢ + w(x)), where w(x) is the density ratio: how many times as frequent
    rows like x are among normal new rows as among calibration rows. With the true ratios, p <= a has a probability of
    at most a for a normal new row (Tibshirani et al. 2019); with estimated ratios nearly so. Equal weights give the
    p-values of `split`. It is not proved that Benjamini-Hochberg keeps its rate on weighted p-values, since their
    dependence can be of another kind; where it was tried it did (Jin and Candès 2023).

    Parameters
    ----------
    calibration : array of shape (n,), n at least 1
    scores : array of shape (m,)
    weights : array of shape (n,)
        wᵢ of the calibration rows, at least 0, in any unit.
    own_weights : array of shape (m,)
        w(x) of the new rows, above 0, in the same unit.

    References
    ----------
    R. Tibshirani, R. Barber, E. Candès and A. Ramdas, "Conformal prediction under covariate shift", NeurIPS, 2019.
    Y. Jin and E. Candès, "Model-free selective inference under covariate shift via weighted conformal p-values", 2023.

    Examples
    --------
    >>> weighted([1.0, 2.0], [1.5], weights=[1.0, 2.0], own_weights=[1.0]).tolist()
    [0.75]
    """
    calibration, scores = checked_scores(calibration, "calibration scores"), _batch(scores)
    weights = _weights("weights", weights, len(calibration), "calibration scores")
    own_weights = _weights("own_weights", own_weights, len(scores), "new scores")
    if not (own_weights > 0).all():
        raise ValueError("own_weights must be above 0: a row of weight 0 cannot occur among the new rows")
    order = np.argsort(calibration)
    not_lower = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    place = np.searchsorted(calibration[order], scores, side="left")
    return (not_lower[place] + own_weights) / (not_lower[0] + own_weights)


def cross(held_out: ArrayLike, folds: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> np.ndarray:
    """Return cross-conformal p-values (1 + Σₖ #{held-out scores of fold k >= sₖ}) / (n + 1), for few rows.

    K models are trained, each without one fold of the rows; each scores its fold and the new rows. No row is lost to
    calibration, and p-values can be as small as 1 / (n + 1).

    The guarantee: for a normal new row p <= a has a probability of at most 2a + 2(K - 1) / (n + K), for folds of any
    size. Apart from the ones that are added, p is a weighted mean of the K valid p-values of the folds, and twice such
    a mean is a valid p-value (Vovk and Wang 2020; for folds of equal size see Barber et al. 2021, theorem 4). If the
    models are much alike, as those of K folds usually are, p behaves as if the bound were a. That is observed and not
    proved; neither is it proved that Benjamini-Hochberg keeps its rate on these p-values.

    Parameters
    ----------
    held_out : array of shape (n,), n at least 1
        The score of each training row by the model that was trained without its fold.
    folds : integer array of shape (n,)
        The fold of each training row, from 0 to K - 1, drawn independently of the rows.
    scores : array of shape (m, K)
        The scores of the new rows by each of the models.
    weights : array of shape (n,), optional
        Rows that belong together, all in one fold, share a weight of 1: p = (1 + Σ wᵢ 1{...}) / (Σ wᵢ + 1), as in Lee,
        Barber and Willett (2023, "Distribution-free inference with hierarchical data").

    References
    ----------
    V. Vovk, "Cross-conformal predictors", AMAI 74, 2015.
    V. Vovk and R. Wang, "Combining p-values via averaging", Biometrika 107, 2020.
    R. Barber, E. Candès, A. Ramdas and R. Tibshirani, "Predictive inference with the jackknife+", AoS 49, 2021.

    Examples
    --------
    >>> cross([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], [[1.5, 3.5], [9.0, 9.0]]).tolist()
    [0.6, 0.2]
    """
    held_out = checked_scores(held_out, "held-out scores")
    scores, folds = np.asarray(scores, dtype=np.float64), np.asarray(folds)
    if scores.ndim != 2 or folds.shape != held_out.shape or not np.isin(folds, np.arange(scores.shape[1])).all():
        raise ValueError(
            "cross needs held-out scores (n,), the fold of each (n,), from 0 to K - 1, and new scores (m, K); got "
            f"{held_out.shape}, {folds.shape} and {scores.shape}, folds {np.unique(folds).tolist()}"
        )
    own = np.ones(len(held_out)) if weights is None else _weights("weights", weights, len(held_out), "held-out scores")
    not_lower = np.zeros(len(scores))
    for fold, by_model in enumerate(scores.T):
        inside = np.flatnonzero(folds == fold)
        inside = inside[np.argsort(held_out[inside])]
        above = np.append(np.cumsum(own[inside][::-1])[::-1], 0.0)
        not_lower += above[np.searchsorted(held_out[inside], _batch(by_model), side="left")]
    return (1 + not_lower) / (own.sum() + 1)


def among_themselves(held_out: ArrayLike) -> np.ndarray:
    """Return p-values of the calibration rows themselves, each compared with all of them: #{scores >= s} / n.

    Held-out scores of K folds are compared with all n as well, not only with those of their own fold: if rows are
    exchangeable and were assigned to folds of equal size at random, and the models are trained alike, the held-out
    scores are exchangeable, so each rank is uniform and p <= a has a probability of at most a, exactly. Within a fold
    that holds as well, but p-values could not be smaller than K / n.

    They serve for p <= a, which flags a share a of the rows. They are useless for a false discovery rate: without ties
    they are the numbers 1/n, 2/n, …, n/n whatever the scores are, and Benjamini-Hochberg finds nothing in them.

    Parameters
    ----------
    held_out : array of shape (n,), n at least 1

    Examples
    --------
    >>> among_themselves([1.0, 3.0, 2.0, 2.0]).tolist()
    [1.0, 0.25, 0.75, 0.75]
    """
    held_out = checked_scores(held_out, "held-out scores")
    return (len(held_out) - np.searchsorted(np.sort(held_out), held_out, side="left")) / len(held_out)


def rejected(pvalues: ArrayLike, *, fdr: float | None = None, alpha: float | None = None) -> np.ndarray:
    """Return which rows are anomalies: by Benjamini-Hochberg over the batch, or by p <= alpha.

    Parameters
    ----------
    pvalues : array of shape (m,)
    fdr : float in (0, 1), optional
        Greatest share of normal rows among those found, on average over batches.
    alpha : float in (0, 1), optional
        Greatest share of the normal rows that is found. One of `fdr` and `alpha` must be given.

    Returns
    -------
    bool ndarray of shape (m,)

    Examples
    --------
    >>> rejected([0.01, 0.04, 0.5], fdr=0.05).tolist(), rejected([0.01, 0.04, 0.5], alpha=0.05).tolist()
    ([True, False, False], [True, True, False])
    """
    if (fdr is None) == (alpha is None):
        raise ValueError(
            "give one of fdr (share of normal rows among those found) and alpha (share of normal rows that are found); "
            f"got fdr={fdr!r} and alpha={alpha!r}"
        )
    pvalues = np.asarray(pvalues, dtype=np.float64)
    if alpha is not None:
        return pvalues <= checked_level("alpha", alpha) * (1 + ROUNDING)
    limit = checked_level("fdr", fdr) * (1 + ROUNDING)
    return false_discovery_control(pvalues) <= limit if len(pvalues) else np.zeros(0, dtype=bool)


def refuse_too_small(n_calibration: int, level: float) -> None:
    """Raise a `ValueError` if no row could get a p-value as small as the level: if n + 1 < 1 / level.

    For a false discovery rate the level is that rate. This is what it takes if all rows of a batch are found;
    `rows_for_one` says what it takes to find a single one.

    >>> refuse_too_small(50, 0.01)
    Traceback (most recent call last):
    ValueError: a level of 0.01 needs at least 99 calibration rows; there are 50, with which the smallest p-value is \
1/51 = 0.0196: take more rows for calibration (calibration_fraction, \
calibrate(X)), or a level of at least 0.0197
    """
    least = math.ceil((1 - ROUNDING) / checked_level("level", level)) - 1
    if n_calibration < least:
        smallest = 1 / (n_calibration + 1)
        raise ValueError(
            f"a level of {level:g} needs at least {least} calibration rows; there are {n_calibration}, with which the "
            f"smallest p-value is 1/{n_calibration + 1} = {smallest:.3g}: take more rows for calibration "
            f"(calibration_fraction, calibrate(X)), or a level of at least {above(smallest)}"
        )


def rows_for_one(m: int, fdr: float) -> int:
    """Return how many calibration rows it takes to find a single anomaly among m rows: n + 1 >= m / fdr.

    Benjamini-Hochberg finds one row alone only at p <= fdr / m, and k rows together at p <= k fdr / m.

    >>> rows_for_one(100, 0.1)
    999
    """
    return math.ceil(m * (1 - ROUNDING) / checked_level("fdr", fdr)) - 1


def warn_too_few_for_one(n_calibration: int, m: int, fdr: float) -> None:
    """Warn if a single anomaly among m rows could not be found, however high it scores."""
    needed = rows_for_one(m, fdr)
    if n_calibration < needed:
        together = math.ceil(m * (1 - ROUNDING) / (checked_level("fdr", fdr) * (n_calibration + 1)))
        warnings.warn(
            f"with {n_calibration} calibration rows the smallest p-value is 1/{n_calibration + 1} = "
            f"{1 / (n_calibration + 1):.3g}, and at fdr={fdr:g} {together} of the {m} rows must score above all of "
            f"these before any is found; a single one would need {needed} calibration rows: take more of them, "
            f"smaller batches, a higher fdr, or alpha={above(max(fdr, 1 / (n_calibration + 1)))}, which looks at each "
            "row by itself",
            UserWarning,
            stacklevel=3,
        )


def checked_level(name: str, level: float | None) -> float:
    """Return a level in (0, 1)."""
    if level is None or not is_number(level) or not 0 < level < 1:
        raise ValueError(f"{name} must be a number between 0 and 1, such as 0.05; got {level!r}")
    return float(level)


def above(number: float) -> str:
    """Write a number to three digits, rounded up, so that the written limit is sufficient."""
    step = 10.0 ** (math.floor(math.log10(number)) - 2)
    return f"{math.ceil(number / step - 1e-9) * step:.3g}"


def _batch(scores: ArrayLike) -> np.ndarray:
    """Return the scores of new rows, (m,) float64; m may be 0."""
    scores = np.asarray(scores, dtype=np.float64)
    return scores if scores.shape == (0,) else checked_scores(scores)


def _weights(name: str, weights: ArrayLike, n: int, of: str) -> np.ndarray:
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n,) or not (weights >= 0).all() or not np.isfinite(weights).all():
        raise ValueError(f"{name} must be {n} finite numbers of at least 0, one for each of the {of}")
    return weights
