"""What turns scores into p-values: rows held out of training, or for few rows all of them in turn."""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from isthmus.tasks.anomaly import conformal, learning, thresholds
from isthmus.tasks.anomaly.ensemble import Ensemble


class Calibration(Protocol):
    """Held-out rows and their scores."""

    scores: np.ndarray
    """(n,) sorted."""

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        ...

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Return the same under covariate shift."""
        ...

    def threshold(self, level: float) -> float:
        """Return the score above which p-values are at most the level."""
        ...

    def refuse(self, level: float, trusted: bool) -> None:
        """Raise a `ValueError` if nothing can be found at that level; warn of doubts about rows said to be normal."""
        ...


class SplitCalibration:
    """Rows that were held out of training.

    Parameters
    ----------
    ensemble
        Trained.
    numbers
        (n, R) rows that it has not seen.
    known
        Whether they are known to be normal whatever the rows of training are.
    """

    def __init__(self, ensemble: Ensemble, numbers: Any, *, known: bool = False) -> None:
        self.ensemble, self.numbers, self.known = ensemble, numbers, known
        self.unsorted = ensemble.score(numbers)
        self.scores = np.sort(self.unsorted)

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        return conformal.pvalues(self.ensemble.score(numbers), self.scores)

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row, where calibration rows count by how much they are like these."""
        if scipy.sparse.issparse(numbers):
            raise ValueError("weighted p-values compare rows column by column, and X is sparse; take weighted=False")
        there, now = self.ensemble.cells(self.numbers), self.ensemble.cells(numbers)
        weights, own = conformal.density_ratios(there, now)
        size = conformal.effective_size(weights)
        if size < LEAST_EFFECTIVE:
            raise ValueError(
                f"the rows of X are too unlike the {len(weights)} calibration rows: these count for no more than "
                f"{size:.0f}, and {LEAST_EFFECTIVE} are needed. Give rows like X, known to be normal, to calibrate(X)"
            )
        return conformal.weighted_pvalues(self.ensemble.score(numbers), self.unsorted, weights, own)

    def threshold(self, level: float) -> float:
        """Return the score above which p-values are at most the level; inf where none can be."""
        return conformal_threshold(self.scores, level)

    def refuse(self, level: float, trusted: bool) -> None:
        """Raise a `ValueError` if decisions at that level would be none."""
        conformal.refuse_too_few(len(self.scores), level)
        doubt(self.scores, level, trusted or self.known)


class CrossCalibration:
    """Few rows, each held out of one of several trainings.

    Parameters
    ----------
    trained
        Trains an ensemble on rows with a seed.
    numbers
        (n, R) all rows.
    seed
        Of the folds and trainings.
    """

    def __init__(self, trained: Callable[[Any, int], Ensemble], numbers: Any, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self.ensembles, self.held = [], []
        for number, out in enumerate(learning.folds(numbers.shape[0], rng)):
            rest = np.setdiff1d(np.arange(numbers.shape[0]), out)
            self.ensembles.append(trained(numbers[rest], seed + number + 1))
            self.held.append(np.sort(self.ensembles[-1].score(numbers[out])))
        self.scores = np.sort(np.concatenate(self.held))

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        scores = np.stack([ensemble.score(numbers) for ensemble in self.ensembles], axis=1)
        return conformal.cross_pvalues(scores, self.held)

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Refuse: there is no one model that all held-out rows were scored by."""
        raise ValueError(
            f"weighted p-values need rows held out of training, and with {len(self.scores)} rows all are held out in "
            "turn; fit with a calibration_fraction such as 0.3, or take weighted=False"
        )

    def threshold(self, level: float) -> float:
        """Return the held-out score above which p-values are about the level."""
        return conformal_threshold(self.scores, level)

    def refuse(self, level: float, trusted: bool) -> None:
        """Raise a `ValueError` if decisions at that level would be none."""
        conformal.refuse_too_few(len(self.scores), level)
        doubt(self.scores, level, trusted)


MOST_NOMINAL = 0.03
"""Share of normal rows that may score as anomalies do, where their scores have a heavy tail."""
LEAST_EFFECTIVE = 10
"""Calibration rows, by their weights, from which weighted p-values are worth anything."""


def conformal_threshold(scores: np.ndarray, level: float) -> float:
    """Return the score above which p-values by sorted scores (n,) are at most the level; inf where none can be."""
    most_above = int(np.floor(level * (len(scores) + 1) * (1 + 1e-9))) - 1
    return float("inf") if most_above < 0 else float(scores[len(scores) - 1 - most_above])


def doubt(scores: np.ndarray, level: float, trusted: bool) -> None:
    """Warn, or in a contaminated setting refuse, where calibration rows themselves score as anomalies do."""
    share = conformal.surely_above(scores, thresholds.by_tail(scores), MOST_NOMINAL)
    if share == 0 or (not trusted and share < level):
        return
    found = f"{share:.1%} of the calibration rows score as anomalies do"
    if trusted:
        warnings.warn(
            f"{found}, though they are said to be normal: if they are not, p-values are too large, and anomalies like "
            "them are not found",
            UserWarning,
            stacklevel=4,
        )
        return
    raise ValueError(
        f"{found}: anomalies like them cannot get a p-value below that share, so there is nothing to be found at a "
        f"level of {level:g}. Give rows known to be normal to calibrate(X), say setting='clean' if they are, or decide "
        "by contamination in place of fdr or alpha"
    )
