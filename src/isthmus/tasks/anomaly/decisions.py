"""`DecisionRule`: which scores are anomalies; and `Decision`, which says in sentences what was decided, and why."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Self

import numpy as np

from isthmus.core.checks import is_number
from isthmus.core.json_type import Json
from isthmus.core.typed_json import typed
from isthmus.estimators.state import Facts
from isthmus.tasks.anomaly import conformal, thresholds
from isthmus.tasks.anomaly.calibration import Calibration, units
from isthmus.tasks.anomaly.contamination import Contamination, refuse_contaminated, warn_contaminated
from isthmus.tasks.anomaly.known_anomalies import known_threshold
from isthmus.tasks.anomaly.row_groups import group_weights
from isthmus.tasks.anomaly.score_gap import AnomalyCount, ScoreGap

RARE = 0.01
"""Share of the normal rows that is called anomalies if no rate is asked for and nothing stands out."""
MANY, TAIL = 500, 0.25
"""Number of held-out rows from which their ranks suffice for `RARE`; of fewer, the upper share drawn out as a tail."""
EXAMPLE = 100
"""Number of rows per call for which a decision by `fdr` says how many calibration rows it takes."""


@dataclass(frozen=True)
class Decision:
    """How rows are called anomalies, and what that means for the training rows; it prints as sentences.

    Examples
    --------
    >>> print(Decision("contamination", 0.1, 4.5, 20, 200, "contamination=0.1 asks for this share"))
    20 of 200 training rows are called anomalies: contamination=0.1 asks for this share.
    """

    rule: str
    """"scores", "known anomalies", "contamination", "alpha" or "fdr"."""
    level: float | None
    """What was given as `contamination`, `alpha` or `fdr`; None without any."""
    threshold: float = field(repr=False)
    """Score above which rows are called anomalies; inf if none can be."""
    called: int
    """Number of training rows above it."""
    rows: int
    """Number of training rows."""
    because: str
    """Why, and what limits the decision."""

    def __str__(self) -> str:
        return f"{self.called:,} of {self.rows:,} training rows are called anomalies: {self.because}."

    def facts(self) -> dict[str, Json]:
        """Return all but the threshold, which may be infinite, as JSON can hold it."""
        facts: dict[str, Json] = asdict(self)
        del facts["threshold"]
        return facts

    @classmethod
    def from_facts(cls, facts: Facts, threshold: float) -> Self:
        """Undo `facts`."""
        if np.isnan(threshold):
            raise ValueError("the threshold is no number")
        return typed(cls, dict(facts) | {"threshold": 0.0}).at(threshold)

    def at(self, threshold: float) -> Self:
        """Return the decision with another threshold, which may be infinite."""
        return replace(self, threshold=threshold)


@dataclass(frozen=True)
class Evidence:
    """What a decision is made from."""

    scores: np.ndarray
    """(n,) of the training rows, higher is odder."""
    gap: ScoreGap
    """Where those of them that are not known to be anomalies part."""
    calibration: Calibration
    """Turns scores into p-values."""
    clean: bool
    """Whether the training rows are known to be normal."""
    known: np.ndarray | None = None
    """(n,) bool: which training rows are known to be anomalies; None if no labels were given."""

    @property
    def unknown(self) -> np.ndarray:
        """(n,) bool: the rows that are not known to be anomalies."""
        return np.ones(len(self.scores), dtype=bool) if self.known is None else ~self.known

    @property
    def count(self) -> AnomalyCount:
        """The number of anomalies among the training rows, the known ones among them."""
        known = len(self.scores) - int(self.unknown.sum())
        return AnomalyCount(*(known + number for number in self.gap.count))


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

    def decide(self, evidence: Evidence) -> Decision:
        """Return the decision; asks for p-values if `fdr` or `alpha` is given, or training rows are known normal."""
        scores = evidence.scores
        if self.contamination is not None:
            threshold = thresholds.share_threshold(scores, self.contamination)
            rule, because = "contamination", f"contamination={self.contamination:g} asks for this share"
        elif self.level is not None:
            rule = "alpha" if self.fdr is None else "fdr"
            threshold = calibrated_threshold(evidence.calibration, self.level)
            because = reason_of_level(rule, self.level, evidence)
        elif evidence.known is not None and not evidence.clean:
            rule, (threshold, because) = "known anomalies", by_known_anomalies(evidence)
        else:
            rule, (threshold, because) = "scores", by_scores(evidence)
        level = self.level if self.contamination is None else self.contamination
        return Decision(rule, level, threshold, int((scores > threshold).sum()), len(scores), because)

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


def by_scores(evidence: Evidence) -> tuple[float, str]:
    """Return the threshold without any rate or label, and the reason for it."""
    gap = evidence.gap
    if evidence.clean or gap.kind == "none":
        threshold, because = one_in_a_hundred(evidence)
        return threshold, because if evidence.clean else f"the scores show neither a gap nor a long tail, and {because}"
    why = {
        "valley": "there is a gap in the scores, and they lie above it",
        "tail": "so high, scores are more frequent than those of normal rows would be",
    }[gap.kind]
    return gap.threshold, f"{why} (an estimated {gap.count} of {len(evidence.scores):,} rows are anomalies)"


def one_in_a_hundred(evidence: Evidence) -> tuple[float, str]:
    """Return the score that one normal row in a hundred is above, by rows the model has not seen where there are any.

    One or two of a few hundred rows that were held out of training lie there, and none of fewer than 99, so that the
    tail of normal ones among them is drawn out as well, as an exponential one above the upper quartile: so surprisals
    fall. The higher of the two scores is taken.
    """
    calibration, scores = evidence.calibration, evidence.scores[evidence.unknown]
    if calibration.ready or (evidence.clean and calibration.rows):
        held_out = calibration.scores
        threshold = min(calibrated_threshold(calibration, RARE), float(held_out.max()))
        if calibration.known_normal and len(held_out) < MANY:
            threshold = max(threshold, exponential_threshold(held_out))
        return (
            threshold,
            f"so is at most one in about a hundred normal rows, by the scores of {len(held_out):,} held-out rows",
        )
    return float(np.quantile(scores, 1 - RARE)), "the oddest hundredth of them is called"


def exponential_threshold(scores: np.ndarray) -> float:
    """Return the score that one row in a hundred is above if scores (n,) fall exponentially from the upper quartile."""
    upper = float(np.quantile(scores, 1 - TAIL))
    above = scores[scores > upper]
    return upper if not len(above) else upper + float((above - upper).mean()) * math.log(TAIL / RARE)


def by_known_anomalies(evidence: Evidence) -> tuple[float, str]:
    """Return the threshold where some anomalies are known, and the reason for it."""
    unknown, scores = evidence.unknown, evidence.scores
    others, known = scores[unknown], scores[~unknown]
    called = int((others > by_scores(evidence)[0]).sum())
    threshold = known_threshold(known, others, called, evidence.gap.count.estimate)
    above = int((known > threshold).sum())
    return threshold, f"this suits the scores and the {len(known)} known anomalies best, {above} of which are above it"


def reason_of_level(name: str, level: float, evidence: Evidence) -> str:
    """Return what a level, that of `alpha` or `fdr`, means with these calibration rows."""
    calibration = evidence.calibration
    n = units(calibration)
    smallest, least = f"the smallest p-value is 1/{n + 1} = {1 / (n + 1):.3g}", conformal.rows_for_one(1, level)
    if n < least:
        return (
            f"none can be at {name}={level:g}, since with {n:,} calibration rows {smallest}; {least:,} would do, or "
            f"alpha={conformal.above(1 / (n + 1))}"
        )
    if doubtful := doubts(level, evidence):
        return f"{doubtful}, so that rows like them stay above {name}={level:g}: give normal rows to calibrate(X)"
    if name == "alpha":
        return f"alpha={level:g} calls this share of normal rows, by {n:,} calibration rows, with which {smallest}"
    most, needed = math.floor(level * (n + 1) * (1 + conformal.ROUNDING)), conformal.rows_for_one(EXAMPLE, level)
    return (
        f"fdr={level:g} looks at all rows of a call together; with {n:,} calibration rows {smallest}, so that a single "
        f"anomaly is found among at most {most:,} rows ({needed:,} calibration rows would do for one among {EXAMPLE}); "
        f"alpha={level:g} looks at each row by itself"
    )


def doubts(level: float, evidence: Evidence) -> str:
    """Return which calibration rows look so much like anomalies that these cannot be found at a level, or nothing."""
    if evidence.calibration.known_normal:
        return ""
    found = Contamination.of(evidence.calibration.scores)
    if found.sure and found.share > level:
        return str(found)
    rows, count = len(evidence.scores), evidence.count
    return f"an estimated {count} of {rows:,} rows are anomalies" if count.low > level * rows else ""


def calibrated_threshold(calibration: Calibration, level: float) -> float:
    """Return the score above which p-values are at most the level; inf if none can be."""
    weights = None if calibration.groups is None else group_weights(calibration.groups)
    return level_threshold(calibration.scores, level, weights)


def level_threshold(scores: np.ndarray, level: float, weights: np.ndarray | None = None) -> float:
    """Return the score above which p-values by calibration scores (n,) are at most the level; inf if none can be.

    With weights (n,), those of a group of rows add up to 1.
    """
    order = np.argsort(scores)
    own = np.ones(len(scores)) if weights is None else weights[order]
    most_above = level * (own.sum() + 1) * (1 + conformal.ROUNDING) - 1
    above = np.append(np.cumsum(own[::-1])[::-1][1:], 0.0)
    return float("inf") if most_above < 0 else float(scores[order][np.argmax(above <= most_above + conformal.ROUNDING)])
