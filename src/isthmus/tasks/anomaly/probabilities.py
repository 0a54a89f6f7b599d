"""How sure it is that rows are anomalies: the share of normal rows as odd, and the probability given a share."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from isthmus.tasks.anomaly.score_gap import normal_shares

POINTS = 500
"""Greatest number of ranks at which the distribution of the training rows is looked at, denser among the odd ones."""


class Probability(NamedTuple):
    """Two answers to how sure it is that rows are anomalies.

    Attributes
    ----------
    as_odd : ndarray of shape (n,)
        The share of normal rows that score at least as high: a p-value. It is *not* the probability that the row is
        normal: of 10,000 normal rows, a hundred have one of 0.01 or less.
    anomaly : ndarray of shape (n,)
        The probability that the row is an anomaly if anomalies are as frequent among the rows of X as they seem to be
        among the training rows, and score alike. Where that is not so, it is not a probability.
    """

    as_odd: np.ndarray
    anomaly: np.ndarray


def posterior(scores: np.ndarray, training: np.ndarray, share: float) -> np.ndarray:
    """Return the probability that rows with these scores (m,) are anomalies, (m,); it never falls with the score.

    With u the share of normal rows that score as high, by the shape of the normal scores, it is 1 - (1 - share)/f(u)
    above their upper quartile, one minus the local false discovery rate (Efron et al. 2001), and 0 below. The density f
    of u among the training rows is that of Grenander (1956): the steepest decreasing one, as in Strimmer (2008). A row
    that is odder than all n training rows counts as one of n + 1.

    Parameters
    ----------
    scores
        (m,) higher is odder.
    training
        (n,) scores of the training rows, or of normal rows that were held out.
    share
        Share of anomalies among them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> training = np.concatenate([rng.normal(size=900), rng.normal(size=100) + 6])
    >>> posterior(np.array([0.0, 2.0, 6.0, 20.0]), training, 0.1).round(2).tolist()
    [0.0, 0.02, 1.0, 1.0]
    """
    middle, upper = np.quantile(training, [0.5 * (1 - share), 0.75 * (1 - share)])
    if not upper > middle:
        return (scores > upper).astype(float) * share
    scale = 0.25 / normal_shares(np.array([upper]), middle, upper)
    odd = scale * normal_shares(training[training > upper], middle, upper)
    others = np.linspace(0.25, 1, len(training) - len(odd))
    places, density = decreasing_density(np.concatenate([odd, others]))
    new = np.maximum(scale * normal_shares(scores, middle, upper), 1e-300)
    at = density[np.minimum(np.searchsorted(places, new, side="left"), len(density) - 1)]
    alone = 1 / ((len(training) + 1) * new)
    found = np.clip(1 - (1 - share) / np.maximum(at, alone), 0, 1)
    return np.asarray(np.where(scores > upper, found, 0.0))


def decreasing_density(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the decreasing density of numbers (n,) in [0, 1] as steps: their right ends, and their heights.

    It is the derivative of the least concave function that is nowhere below their distribution function.
    """
    n = len(shares)
    ranks = np.unique(np.geomspace(1, n, POINTS).round().astype(int))
    at = [0.0, *np.sort(shares)[ranks - 1], 1.0]
    below = [0.0, *(ranks / n), 1.0]
    kept = [0]
    for place in range(1, len(at)):
        if at[place] <= at[kept[-1]]:
            # A number of the same place, or 1 itself: the higher of the two counts.
            if len(kept) == 1:
                continue
            kept.pop()
        while len(kept) > 1 and _rise(at, below, kept[-2], kept[-1]) <= _rise(at, below, kept[-1], place):
            kept.pop()
        kept.append(place)
    ends = np.array([at[place] for place in kept[1:]])
    heights = np.array([_rise(at, below, one, other) for one, other in pairwise(kept)])
    return ends, heights


def _rise(at: list[float], below: list[float], one: int, other: int) -> float:
    return (below[other] - below[one]) / (at[other] - at[one])
