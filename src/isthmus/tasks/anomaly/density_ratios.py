"""Density ratios: how many times as frequent each kind of row is among new rows as among calibration rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus.tasks.anomaly.conformal import checked_level

FOLDS = 5
MOST = 20_000
"""Greatest number of rows of each kind that a regression is trained on; all rows are weighted."""
LEAST = 100.0
"""Minus the least logarithm of a weight."""


@dataclass(frozen=True, eq=False)
class DensityRatios:
    """Weights for `conformal.weighted`."""

    calibration: np.ndarray
    """(n,) weights of the calibration rows."""
    new: np.ndarray
    """(m,) weights of the new rows."""

    @property
    def effective_rows(self) -> float:
        """Effective number of calibration rows: how many rows of equal weight would be as good, at most n.

        The lesser of (Σw)² / Σw² (Kish 1965) and Σw over the mean weight of the new rows. With the true ratios both
        converge to the same number; if the two kinds of rows lie apart, only the second reveals it.
        """
        total = self.calibration.sum()
        return float(min(total**2 / np.square(self.calibration).sum(), total / self.new.mean()))

    def refuse_too_few(self, level: float) -> None:
        """Raise a `ValueError` if the effective number of calibration rows is less than 1 / level."""
        if self.effective_rows < 1 / checked_level("level", level) - 1e-9:
            raise ValueError(
                f"the new rows are so unlike the calibration rows that the {len(self.calibration)} of these are worth "
                f"only {self.effective_rows:.1f}; a level of {level:g} needs {1 / level:.0f}: calibrate on rows that "
                "are more like the new ones, or on more of them, or ask for a higher level"
            )


def density_ratios(calibration: ArrayLike, new: ArrayLike, *, seed: int = 0) -> DensityRatios:
    """Estimate density ratios of new rows to calibration rows by logistic regressions that tell them apart.

    With p the probability that a row is a new one, w = p / (1 - p) · n / m. Each row is weighted by a regression that
    did not see it (five folds), on standardised features, so that what a regression learns from noise does not become
    a weight. The logarithm of a ratio is linear in the features: that holds for a shift of means, but not for a change
    of spreads.

    Weights above √n times their mean over the calibration rows are set to that (Ionides 2008). Whatever is frequent
    among the new rows and rare among the calibration rows counts as a shift of normal rows, so do not use these weights
    for a batch with many anomalies of one kind.

    Parameters
    ----------
    calibration : array of shape (n, F), n at least 5
        Finite.
    new : array of shape (m, F), m at least 5
    seed : int, default=0
        For the folds.

    References
    ----------
    R. Tibshirani, R. Barber, E. Candès and A. Ramdas, "Conformal prediction under covariate shift", NeurIPS, 2019.
    E. Ionides, "Truncated importance sampling", JCGS 17, 2008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ratios = density_ratios(rng.normal(size=(500, 2)), rng.normal(0.5, 1, size=(500, 2)))
    >>> 200 < ratios.effective_rows < 400
    True
    """
    calibration, new = _rows("calibration rows", calibration), _rows("new rows", new)
    if calibration.shape[1] != new.shape[1]:
        raise ValueError(f"calibration rows have {calibration.shape[1]} features and new rows {new.shape[1]}")
    n, m = len(calibration), len(new)
    X, is_new = np.concatenate([calibration, new]), np.repeat([0, 1], [n, m])
    generator = np.random.default_rng(seed)
    log_ratios = np.empty(n + m)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in folds.split(X, is_new):
        shuffled = generator.permutation(seen)
        sample = np.concatenate([shuffled[is_new[shuffled] == kind][:MOST] for kind in (0, 1)])
        odds = is_new[sample].mean() / (1 - is_new[sample].mean())
        regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X[sample], is_new[sample])
        log_ratios[unseen] = regression.decision_function(X[unseen]) - np.log(odds)
    # In units of their mean over the calibration rows. None is 0, however rare such rows are among the new ones.
    log_ratios -= logsumexp(log_ratios[:n]) - np.log(n)
    weights = np.exp(np.clip(log_ratios, -LEAST, np.log(n) / 2))
    return DensityRatios(weights[:n], weights[n:])


def _rows(name: str, rows: ArrayLike) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < FOLDS or not np.isfinite(rows).all():
        raise ValueError(f"{name} must be at least {FOLDS} rows (n, F) of finite numbers; got shape {rows.shape}")
    return rows
