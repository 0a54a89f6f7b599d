"""What turns scores into p-values: rows held out of training, or for few rows all of them in turn."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from isthmus.tasks.anomaly import conformal, learning
from isthmus.tasks.anomaly.contamination import refuse_contaminated, warn_contaminated
from isthmus.tasks.anomaly.density_ratios import density_ratios
from isthmus.tasks.anomaly.ensemble import Ensemble

LEAST_LEVEL = 0.03
"""Weighted p-values are refused where calibration rows are worth so few that none could be as small."""


class Calibration(Protocol):
    """Held-out rows and their scores."""

    scores: np.ndarray
    """(n,) of rows that the model has not seen."""
    known: bool
    """Whether they are known to be normal, whatever the rows of training are."""

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        ...

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Return the same under covariate shift."""
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
        Whether they are known to be normal.
    """

    def __init__(self, ensemble: Ensemble, numbers: Any, *, known: bool) -> None:
        self.ensemble, self.numbers, self.known = ensemble, numbers, known
        self.scores = ensemble.score(numbers)

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        return conformal.split(self.scores, self.ensemble.score(numbers))

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row, where calibration rows count by how much they are like these.

        Raises
        ------
        ValueError
            If hardly any calibration row is like these, and for sparse rows.
        """
        if scipy.sparse.issparse(numbers):
            raise ValueError("weighted p-values compare rows column by column, and X is sparse; take weighted=False")
        ratios = density_ratios(self.ensemble.cells(self.numbers), self.ensemble.cells(numbers))
        ratios.refuse_too_few(LEAST_LEVEL)
        return conformal.weighted(self.scores, self.ensemble.score(numbers), ratios.calibration, ratios.new)


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
    known
        Whether the rows are known to be normal.
    """

    def __init__(self, trained: Callable[[Any, int], Ensemble], numbers: Any, seed: int, *, known: bool) -> None:
        self.known, self.ensembles = known, []
        self.folds = learning.folds(numbers.shape[0], np.random.default_rng([seed, 1]))
        self.scores = np.empty(numbers.shape[0])
        for fold in range(self.folds.max() + 1):
            out = np.flatnonzero(self.folds == fold)
            ensemble = trained(numbers[np.flatnonzero(self.folds != fold)], seed + fold + 1)
            self.scores[out] = ensemble.score(numbers[out])
            self.ensembles.append(ensemble)

    def pvalues(self, numbers: Any) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        scores = np.stack([ensemble.score(numbers) for ensemble in self.ensembles], axis=1)
        return conformal.cross(self.scores, self.folds, scores)

    def weighted_pvalues(self, numbers: Any) -> np.ndarray:
        """Refuse: there is no one model that all held-out rows were scored by."""
        raise ValueError(
            f"weighted p-values need rows held out of training, and with {len(self.scores)} rows all are held out in "
            "turn; fit with a calibration_fraction such as 0.3, or take weighted=False"
        )


def refuse(calibration: Calibration, level: float) -> None:
    """Raise a `ValueError` if nothing could be found at that level; warn of doubts about rows said to be normal."""
    conformal.refuse_too_small(len(calibration.scores), level)
    (warn_contaminated if calibration.known else refuse_contaminated)(calibration.scores, level)


def threshold(calibration: Calibration, level: float) -> float:
    """Return the score above which p-values are at most the level; inf where none can be."""
    ordered = np.sort(calibration.scores)
    most_above = int(np.floor(level * (len(ordered) + 1) * (1 + conformal.ROUNDING))) - 1
    return float("inf") if most_above < 0 else float(ordered[len(ordered) - 1 - most_above])
