"""Conformal p-values of scores, and decisions at a level or at a false-discovery rate.

Scores are higher for anomalies. Of n calibration rows, which the model has not seen, and a new row, all normal and
exchangeable, the new one is as likely to come at any place in their order (Vovk et al. 2005; for the detection of
outliers Bates et al. 2023).
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom, false_discovery_control
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MOST_RATIO = 20.0
"""A calibration row counts at most for so many."""


def pvalues(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Return (1 + #{calibration >= score}) / (n + 1) for each score (m,), of sorted calibration scores (n,).

    Ties count as if the calibration row were the odder one, so that p-values err on the safe side.

    Examples
    --------
    >>> pvalues(np.array([0.5, 9.0]), np.arange(9.0)).tolist()
    [0.9, 0.1]
    """
    as_odd = len(calibration) - np.searchsorted(calibration, scores, side="left")
    return np.asarray((1 + as_odd) / (len(calibration) + 1))


def cross_pvalues(scores: np.ndarray, held: Sequence[np.ndarray]) -> np.ndarray:
    """Return (1 + Σ_k #{held_k >= score_k}) / (n + 1) for rows that were scored by the model of each fold, (m, K).

    Parameters
    ----------
    scores
        (m, K): of each new row under the K models.
    held
        K arrays of sorted scores, n in all: of the rows that a model has not seen, under that model.

    Notes
    -----
    The p-values of cross-conformal prediction (Vovk 2015). All n rows calibrate, and P(p <= a) is near a; what is
    proved is 2a + (1 - K/n)/(K + 1) (Barber et al. 2021, for the CV+ intervals that come to the same).
    """
    as_odd = sum(len(fold) - np.searchsorted(fold, scores[:, k], side="left") for k, fold in enumerate(held))
    return np.asarray((1 + as_odd) / (sum(map(len, held)) + 1))


def weighted_pvalues(scores: np.ndarray, calibration: np.ndarray, weights: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return (Σ w_i [calibration_i >= score] + w) / (Σ w_i + w): p-values under covariate shift.

    Weighted exchangeability as in Tibshirani, Barber, Candès and Ramdas (2019).

    Parameters
    ----------
    scores
        (m,) of new rows.
    calibration, weights
        (n,) scores in any order, and w_i: by how much likelier the calibration row is among normal rows of now.
    own
        (m,) the same of the new rows.
    """
    order = np.argsort(calibration, kind="stable")
    above = np.concatenate([np.cumsum(weights[order][::-1])[::-1], [0.0]])
    heavier = above[np.searchsorted(calibration[order], scores, side="left")]
    return np.asarray((heavier + own) / (weights.sum() + own))


def density_ratios(calibration: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much likelier rows are now than at calibration: of the calibration rows (n,), and of now's (m,).

    By a logistic regression that tells the two apart, fitted to other rows than it judges.

    Parameters
    ----------
    calibration, now
        (n, C) and (m, C) rows as cells.
    """
    rows = np.concatenate([calibration, now])
    label = np.repeat([0, 1], [len(calibration), len(now)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = min(5, len(calibration), len(now))
    if folds < 2:
        raise ValueError(f"a shift cannot be told from {len(now)} rows; give at least 2, or take weighted=False")
    chance = cross_val_predict(model, rows, label, cv=folds, method="predict_proba")[:, 1]
    ratio = chance / (1 - chance) * len(calibration) / len(now)
    ratio = ratio.clip(1 / MOST_RATIO, MOST_RATIO)
    return ratio[: len(calibration)], ratio[len(calibration) :]


def effective_size(weights: np.ndarray) -> float:
    """Return how many equal weights would tell as much: (Σw)² / Σw² (Kish)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def rejected(p: np.ndarray, *, fdr: float | None = None, alpha: float | None = None) -> np.ndarray:
    """Return which p-values (m,) are small enough: by Benjamini and Hochberg's rule at `fdr`, or at most `alpha`."""
    if fdr is not None:
        return np.asarray(false_discovery_control(p, method="bh") <= fdr * (1 + 1e-9))
    assert alpha is not None, "one of the two is given"
    return np.asarray(p <= alpha * (1 + 1e-9))


def least_rows(level: float) -> int:
    """Return how many calibration rows it takes to reach a p-value of `level`."""
    return int(np.ceil(1 / level - 1e-9)) - 1


def refuse_too_few(rows: float, level: float) -> None:
    """Raise a `ValueError` if no p-value can be as small as the level asked for."""
    if rows < least_rows(level):
        raise ValueError(
            f"a level of {level:g} takes at least {least_rows(level)} calibration rows, and there are "
            f"{rows:.0f}: no p-value can be below {1 / (rows + 1):.2g}. Ask for a higher level, hold out more rows "
            "(calibration_fraction), or give more rows known to be normal to calibrate(X)"
        )


def surely_above(scores: np.ndarray, threshold: float, nominal: float) -> float:
    """Return a share of scores above the threshold that is there beyond doubt and beyond what is nominal; else 0.

    Parameters
    ----------
    scores
        (n,) of calibration rows.
    threshold
        Beyond which scores are an anomaly's.
    nominal
        Share of normal rows that may be there.
    """
    above = int((scores > threshold).sum())
    doubtful = binom.sf(above - 1, len(scores), nominal) > 1e-3
    return 0.0 if doubtful else above / len(scores)
