"""`Surprise`: scores of any method on one scale, and the average of several."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.tasks.anomaly.scorer import CellScorer, Scorer

UPPER, KNOTS = 0.75, 31
"""Share of the training rows up to which they tell the surprise, and at how many places."""
FAR = 10.0
"""From here on a surprise grows as a logarithm, so that no member outvotes all others on a row."""


class Surprise:
    """-log of the share of training rows that score as high: 0 for the most normal ones, 1.4 for the highest quarter.

    A rank among the training rows, made continuous. Above the highest quarter, where few rows tell and some may be
    anomalies, the share falls exponentially as it does between the median and there.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of the training rows.

    Examples
    --------
    >>> surprise = Surprise(np.linspace(0, 1, 1001))
    >>> surprise(np.array([0.0, 0.5, 0.75])).round(2).tolist(), bool(surprise(np.array([3.0]))[0] > 2)
    ([0.0, 0.69, 1.39], True)
    """

    def __init__(self, scores: np.ndarray) -> None:
        shares = np.linspace(0, UPPER, KNOTS)
        self.knots = np.quantile(scores, shares)
        self.values = -np.log1p(-shares)
        middle, upper = np.quantile(scores, [0.5, UPPER])
        # Where half of the rows tie, what is above them tells.
        room = upper - middle if upper > middle else scores.std() or 1.0
        self.slope = np.log(0.5 / (1 - UPPER)) / room

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return the surprise of scores (n,)."""
        beyond = (scores - self.knots[-1]) * self.slope
        found = np.where(beyond > 0, self.values[-1] + beyond, self.between(scores))
        return np.where(found > FAR, FAR + np.log1p(np.maximum(found - FAR, 0)), found)

    def between(self, scores: np.ndarray) -> np.ndarray:
        """Return the surprise where training rows tell it; of several with the same score the greatest share."""
        knots, first = np.unique(self.knots, return_index=True)
        return np.interp(scores, knots, self.values[first])


class Ensemble:
    """Several methods (one will do), each by its `Surprise`, averaged.

    Averaging log shares is Fisher's way of joining p-values; it does not matter in which units a method scores.

    Parameters
    ----------
    members
        Trained methods.
    numbers
        (n, R) training rows.
    """

    def __init__(self, members: Sequence[Scorer], numbers: Any) -> None:
        self.members = list(members)
        self.surprises = [Surprise(member.score(numbers)) for member in members]

    def cells(self, numbers: Any) -> np.ndarray:
        """Return rows as the first member that looks at cells has them, (n, C); as they are if there is none."""
        for member in self.members:
            if isinstance(member, CellScorer):
                return member.cells.whole(numbers).numpy()
        return np.nan_to_num(np.asarray(numbers, dtype=np.float64))

    def score(self, numbers: Any) -> np.ndarray:
        """Return how anomalous each row is, (n,) float64."""
        pairs = zip(self.members, self.surprises, strict=True)
        return np.mean([surprise(member.score(numbers)) for member, surprise in pairs], axis=0)

    def errors(self, numbers: Any) -> np.ndarray:
        """Return the members' mean share of each column in a row's errors, (n, columns)."""
        shares = 0.0
        for member in self.members:
            errors = member.errors(numbers)
            shares = shares + errors / np.maximum(errors.sum(1, keepdims=True), 1e-300)
        return np.asarray(shares / len(self.members))
