"""`DecisionRule`: which scores are anomalies."""

from dataclasses import dataclass

import numpy as np

from isthmus.core.checks import is_number
from isthmus.tasks.anomaly import conformal, thresholds
from isthmus.tasks.anomaly.calibration import Calibration, units
from isthmus.tasks.anomaly.contamination import refuse_contaminated, warn_contaminated
from isthmus.tasks.anomaly.row_groups import group_weights

RARE = 0.01
"""Least share of the rows that is called anomalies if no rate is asked for."""


@dataclass(frozen=True)
class DecisionRule:
    """Which rows are called anomalies: at most one of the three is given.

    Parameters
    ----------
    fdr
        Greatest share of normal rows among those called anomalies, on average.
    alpha
        Greatest share of the normal rows that is called anomalies.
    contamination
        Share of the training rows that is called anomalies.
    """

    fdr: float | None = None
    alpha: float | None = None
    contamination: float | None = None

    @property
    def level(self) -> float | None:
        """The rate at which p-values decide; None if scores do."""
        return self.fdr if self.alpha is None else self.alpha

    def check(self) -> None:
        """Raise a `ValueError` if a rate is out of range, or several are given."""
        rates = {"fdr": self.fdr, "alpha": self.alpha, "contamination": self.contamination}
        given = [name for name, rate in rates.items() if rate is not None]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} are given, and each decides by itself which rows are anomalies: take fdr (the "
                "share of false ones among those called anomalies), alpha (the share of the normal rows called "
                "anomalies) or contamination (the share of the training rows called anomalies), and leave the others "
                "None"
            )
        for name, rate in rates.items():
            most = 0.5 if name == "contamination" else 1.0
            if rate is not None and not (is_number(rate) and 0 < rate <= most and rate < 1):
                raise ValueError(
                    f"{name} must be a number in (0, {most:g}{']' if most < 1 else ')'} or None; got {rate!r}"
                )

    def threshold(self, scores: np.ndarray, calibration: Calibration) -> float:
        """Return the score above which rows are anomalies.

        Parameters
        ----------
        scores
            (n,) of the training rows.
        calibration
            Of the detector; asked for p-values only if `fdr` or `alpha` is given.
        """
        if self.contamination is not None:
            return thresholds.share_threshold(scores, self.contamination)
        if self.level is not None:
            weights = None if calibration.groups is None else group_weights(calibration.groups)
            return level_threshold(calibration.scores, self.level, weights)
        unseen = calibration.scores if calibration.ready else scores
        return min(thresholds.boxplot_threshold(unseen), float(np.quantile(unseen, 1 - RARE)))

    def refuse_impossible(self, calibration: Calibration, level: float) -> None:
        """Raise a `ValueError` if no row could be found at that level; warn if rows said to be normal look doubtful."""
        conformal.refuse_too_small(units(calibration), level)
        (warn_contaminated if calibration.known_normal else refuse_contaminated)(calibration.scores, level)

    def anomalies(self, pvalues: np.ndarray, calibration: Calibration) -> np.ndarray:
        """Return which rows are anomalies by p-values (m,), (m,) bool; warn if a single one could not be found."""
        found = conformal.rejected(pvalues, fdr=self.fdr, alpha=self.alpha)
        if self.fdr is not None and not found.any():
            conformal.warn_too_few_for_one(units(calibration), len(found), self.fdr)
        return found


def level_threshold(scores: np.ndarray, level: float, weights: np.ndarray | None = None) -> float:
    """Return the score above which p-values by calibration scores (n,) are at most the level; inf if none can be.

    With weights (n,), those of a group of rows add up to 1.
    """
    order = np.argsort(scores)
    own = np.ones(len(scores)) if weights is None else weights[order]
    most_above = level * (own.sum() + 1) * (1 + conformal.ROUNDING) - 1
    above = np.append(np.cumsum(own[::-1])[::-1][1:], 0.0)
    return float("inf") if most_above < 0 else float(scores[order][np.argmax(above <= most_above + conformal.ROUNDING)])
