"""`ScoreGap`: where the scores of training rows part into normal rows and anomalies, and how many anomalies there are.

Two things are looked for. A valley: few rows between two groups of scores, the upper of which are the anomalies. And a
tail: more rows far above the median than normal rows would have there. Where there is neither, nothing is found.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.special import ndtr, ndtri

from isthmus.core.checked_tensors import checked
from isthmus.core.choices import refuse_unknown
from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.state import as_tensor
from isthmus.tasks.anomaly.thresholds import checked_scores

WIDER = 1.07
"""Standard deviation of normal scores above the median, in those of a normal distribution with that upper quartile."""
FROM = 1.0
"""Standard deviations above the median from which rows count as a tail."""
LEAST, PER_ROOT, PER_ROW = 0.01, 0.2, 6.0
"""A tail of n rows counts from a surplus of LEAST + PER_ROOT / √n + PER_ROW / n on: quartiles are uncertain."""
DEPTH = 0.5
"""Greatest density of a valley, as a share of that of the lower of the two peaks beside it."""
FEWEST, MOST = 0.01, 0.45
"""Least and greatest share of the rows above a valley."""
FAR = 30.0
"""Spreads from the median beyond which distances are compressed, so that one wild row does not stretch the scale."""
STEPS, MOST_STEPS = 4, 20_000
"""Points per bandwidth at which a density is evaluated, and the greatest number of points."""
SURE = 1.96
"""Standard errors on either side of an estimate: an interval of 95 %."""
LIGHT, HEAVY = 0.95, 1.12
"""The same as `WIDER` at the ends of the interval: how light and how heavy the tail of normal scores may be."""


class AnomalyCount(NamedTuple):
    """An estimated number of anomalies among rows, with an interval.

    The interval is about the rows that stand out. Anomalies that score like normal rows are not in it: no method tells
    how many there are.
    """

    estimate: int
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.estimate} ({self.low} to {self.high})"


class Peaks(NamedTuple):
    """A density at evenly spaced points, and the number of rows from each point on."""

    at: np.ndarray
    density: np.ndarray
    rows_from: np.ndarray


@dataclass(frozen=True)
class ScoreGap:
    """Where scores part.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal, odd = rng.normal(size=900), rng.normal(size=100) + 9
    >>> scores = np.concatenate([normal, odd])
    >>> gap = ScoreGap.of(scores[:, None], scores)
    >>> gap.kind, gap.above, str(gap.count)
    ('valley', 100, '100 (98 to 102)')
    >>> ScoreGap.of(normal[:, None], normal).kind
    'none'
    """

    kind: str
    """"valley", "tail" or "none"."""
    threshold: float
    """Score above which rows are anomalies; inf if nothing was found."""
    above: int
    """Number of rows above it."""
    count: AnomalyCount
    """Estimated number of anomalies among the rows."""

    def state(self) -> State:
        """Return what was found."""
        facts: dict[str, Json] = {"kind": self.kind, "above": self.above, "count": list(self.count)}
        return State(facts, {"threshold": as_tensor(self.threshold)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors) -> Self:
        """Undo `state`."""
        count = AnomalyCount(*value_of(tuple[int, int, int], facts["count"], "count"))
        kind, above = value_of(str, facts["kind"], "kind"), value_of(int, facts["above"], "above")
        refuse_unknown("kind of a gap", kind, ("valley", "tail", "none"))
        if min(*count, above) < 0:
            raise ValueError("there cannot be less than no anomalies")
        return cls(kind, float(checked(tensors, "threshold", (), finite=False)), above, count)

    @classmethod
    def of(cls, by_method: np.ndarray, scores: np.ndarray) -> Self:
        """Look for a valley, then for a tail.

        Parameters
        ----------
        by_method
            (n, M) the score of each row by each method, in the method's own unit. A valley is looked for here, since
            the common scale of the methods follows ranks, which closes gaps.
        scores
            (n,) what the rows are ranked by.
        """
        scores = checked_scores(scores)
        telling = told_apart(by_method)
        found = valley(distances(telling))
        if found is not None:
            return cls("valley", threshold_above(scores, found.estimate), found.estimate, found)
        surpluses = sorted(tail_surplus(column) for column in telling.T)
        # With two methods the lesser of the two counts, with three the middle one: one method alone may be misled.
        evident = surpluses[(len(surpluses) - 1) // 2] > least_surplus(len(scores))
        above, count = tail(scores)
        if evident and above:
            return cls("tail", threshold_above(scores, above), above, count)
        return cls("none", math.inf, 0, AnomalyCount(0, 0, count.high))

    def dismissed(self) -> Self:
        """Return that there is no gap, though as many rows as above it may still be anomalies."""
        return replace(self, kind="none", threshold=math.inf, above=0, count=AnomalyCount(0, 0, self.count.high))


def told_apart(by_method: np.ndarray) -> np.ndarray:
    """Return the columns of methods whose scores (n, M) tell rows apart: ties look like gaps."""
    different = np.array([len(np.unique(column)) for column in by_method.T])
    return by_method[:, different >= 0.5 * different.max()]


def threshold_above(scores: np.ndarray, above: int) -> float:
    """Return the score half-way between the `above` highest of the scores (n,) and the next; -inf if that is all."""
    ordered = np.sort(scores)
    place = len(ordered) - above
    return -math.inf if place <= 0 else float((ordered[place - 1] + ordered[min(place, len(ordered) - 1)]) / 2)


def distances(by_method: np.ndarray) -> np.ndarray:
    """Return the median over methods of the distance from the median score, in quartile ranges of the method, (n,).

    The wider of the two quartiles around the median is taken, which with up to 45 % of anomalies is the lower one at
    the least.
    """
    lower, middle, upper = np.quantile(by_method, [0.25, 0.5, 0.75], axis=0)
    spread = np.maximum(middle - lower, upper - middle)
    usable = spread > 1e-9 * (np.abs(middle) + 1)
    if not usable.any():
        return np.zeros(len(by_method))
    far = np.median((by_method[:, usable] - middle[usable]) / spread[usable], axis=1)
    return np.clip(far, -FAR, FAR) + np.sign(far) * np.log1p(np.maximum(np.abs(far) - FAR, 0))


def peaks(values: np.ndarray) -> Peaks | None:
    """Return a kernel estimate of the density of values (n,) with Silverman's bandwidth; None if they hardly differ."""
    n = len(values)
    lower, upper = np.quantile(values, [0.25, 0.75])
    bandwidth = 0.9 * min(values.std(), (upper - lower) / 1.349) * n**-0.2
    least, greatest = values.min(), values.max()
    if not bandwidth > 1e-9 * (greatest - least + 1):
        return None
    points = min(int((greatest - least + 6 * bandwidth) / bandwidth * STEPS) + 2, MOST_STEPS)
    at = np.linspace(least - 3 * bandwidth, greatest + 3 * bandwidth, points)
    step = at[1] - at[0]
    counts = np.bincount(np.rint((values - at[0]) / step).astype(int), minlength=points)
    reach = np.arange(-math.ceil(4 * bandwidth / step), math.ceil(4 * bandwidth / step) + 1) * step / bandwidth
    density = np.convolve(counts, np.exp(-0.5 * reach**2), "full")[len(reach) // 2 :][:points]
    return Peaks(at, density, np.cumsum(counts[::-1])[::-1])


def valley(values: np.ndarray) -> AnomalyCount | None:
    """Return how many of the values (n,) lie above the deepest valley of their density; None if there is no valley.

    The peak below must be the higher one. The rows where the density is less than twice that of the valley may belong
    to either side; their number, and its standard error, give the interval.
    """
    found = peaks(values)
    if found is None:
        return None
    density = found.density
    below, beyond = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    share = found.rows_from / len(values)
    possible = (share >= FEWEST) & (share <= MOST) & (beyond <= below) & (beyond > 0)
    if not possible.any():
        return None
    depth = np.where(possible, density / np.where(beyond > 0, beyond, 1), np.inf)
    bottom = int(np.argmin(depth))
    if depth[bottom] > DEPTH:
        return None
    dense = density > 2 * density[bottom]
    left = int(np.flatnonzero(dense[:bottom])[-1]) + 1 if dense[:bottom].any() else 0
    right = bottom + int(np.argmax(dense[bottom:])) if dense[bottom:].any() else bottom
    fewest, most = int(found.rows_from[right]), int(found.rows_from[left])
    error = round(SURE * math.sqrt(most - fewest + 1))
    return AnomalyCount(int(found.rows_from[bottom]), max(fewest - error, 0), min(most + error, len(values)))


def normal_shares(scores: np.ndarray, middle: float, upper: float, wider: float = WIDER) -> np.ndarray:
    """Return the share of normal rows that score at least as high as each of the scores (n,), (n,).

    Normal scores above the median are taken to fall like a normal distribution with that median and upper quartile,
    made `wider`. Methods score by logarithms of distances or of shares, on which heavy tails fall no slower.
    """
    return np.asarray(ndtr(-ndtri(0.75) / wider * (scores - middle) / (upper - middle)))


def surplus(ordered: np.ndarray, wider: float = WIDER, share: float = 0.0) -> np.ndarray:
    """Return by how much the share of rows at or above each score exceeds that of normal rows, (n,); -inf below FROM.

    Parameters
    ----------
    ordered
        (n,) scores, the highest first.
    wider
        As in `normal_shares`.
    share
        Share of the rows, the highest, that are anomalies; quartiles are those of the others.
    """
    middle, upper = np.quantile(ordered, [0.5 * (1 - share), 0.75 * (1 - share)])
    if not upper > middle:
        return np.full(len(ordered), -np.inf)
    normal = normal_shares(ordered, middle, upper, wider)
    shares = np.arange(1, len(ordered) + 1) / len(ordered)
    return np.where(normal < ndtr(-FROM), shares - (1 - share) * normal, -np.inf)


def tail_surplus(scores: np.ndarray) -> float:
    """Return the greatest surplus of the scores (n,); at least 0."""
    return max(float(surplus(np.sort(scores)[::-1]).max()), 0.0)


def least_surplus(rows: int) -> float:
    """Return the surplus from which on it is no accident."""
    return LEAST + PER_ROOT / math.sqrt(rows) + PER_ROW / rows


def tail(scores: np.ndarray) -> tuple[int, AnomalyCount]:
    """Return how many of the scores (n,) lie where rows are more frequent than normal ones, and the anomalies there.

    The surplus is greatest at the score where the density of all rows equals that of the normal ones. Among the rows
    above, the surplus is the number of anomalies (Storey 2002 with scores for p-values).
    """
    n, ordered = len(scores), np.sort(scores)[::-1]
    found = surplus(ordered)
    place = int(np.argmax(found))
    if not found[place] > 0:
        return 0, AnomalyCount(0, 0, _most(ordered, 0.0))
    normal = (place + 1) / n - found[place]
    low = n * max(float(surplus(ordered, HEAVY)[place]), 0) - SURE * math.sqrt(n * normal)
    estimate = round(n * found[place])
    return place + 1, AnomalyCount(
        estimate, max(0, math.floor(low)), max(estimate, _most(ordered, float(found[place])))
    )


def _most(ordered: np.ndarray, share: float) -> int:
    """Return the upper end of the interval, for scores (n,), the highest first, a share of which was found at least."""
    n, found = len(ordered), surplus(ordered, LIGHT, share)
    place = int(np.argmax(found))
    if not np.isfinite(found[place]):
        return 0
    normal = max((place + 1) / n - found[place], 1 / n)
    return min(n, math.ceil(n * max(found[place], 0) + SURE * math.sqrt(n * normal)))
