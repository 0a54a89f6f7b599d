"""`Surprisal`: turns the scores of any method into minus the log of a tail share."""

from typing import Self

import numpy as np

from isthmus.core.checked_tensors import checked
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.state import as_tensor

UPPER, KNOTS = 0.75, 31
"""Share of the training rows up to which the surprisal follows their ranks, and at how many knots."""
FAR = 10.0
"""Surprisal from which on it grows only as a logarithm, so that no method outvotes all others on a row."""


class Surprisal:
    """-log of the share of training rows that score as high: 0 for the most normal ones, 1.4 for the highest quarter.

    Below the highest quarter it follows the ranks of the training rows, made continuous. Above, where there are few
    rows and some may be anomalies, the share falls exponentially, at the rate at which it falls between the median and
    the upper quartile.

    Parameters
    ----------
    knots
        (KNOTS,) scores at evenly spaced shares from 0 to `UPPER`, ascending.
    rate
        How fast the surprisal grows with the score above the last knot.

    Examples
    --------
    >>> surprisal = Surprisal.of(np.linspace(0, 1, 1001))
    >>> surprisal(np.array([0.0, 0.5, 0.75])).round(2).tolist(), bool(surprisal(np.array([3.0]))[0] > 2)
    ([0.0, 0.69, 1.39], True)
    """

    def __init__(self, knots: np.ndarray, rate: float) -> None:
        self.knots, self.rate = knots, rate
        self.values = -np.log1p(-np.linspace(0, UPPER, KNOTS))

    @classmethod
    def of(cls, scores: np.ndarray) -> Self:
        """Learn from the scores (n,) of the training rows."""
        knots = np.quantile(scores, np.linspace(0, UPPER, KNOTS))
        middle, upper = np.quantile(scores, [0.5, UPPER])
        # Where half of the rows tie, the spread of the scores above them sets the rate.
        spread = upper - middle if upper > middle else scores.std() or 1.0
        return cls(knots, float(np.log(0.5 / (1 - UPPER)) / spread))

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return the surprisal of scores (n,), (n,) of at least 0."""
        beyond = (scores - self.knots[-1]) * self.rate
        surprisals = np.where(beyond > 0, self.values[-1] + beyond, self.interpolated(scores))
        return np.where(surprisals > FAR, FAR + np.log1p(np.maximum(surprisals - FAR, 0)), surprisals)

    def interpolated(self, scores: np.ndarray) -> np.ndarray:
        """Return the surprisal between knots; where several knots have one score, that of the greatest share."""
        knots, first = np.unique(self.knots, return_index=True)
        return np.interp(scores, knots, self.values[first])

    def state(self) -> State:
        """Return knots and rate."""
        return State({}, {"knots": as_tensor(self.knots), "rate": as_tensor(self.rate)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors) -> Self:
        """Rebuild a surprisal."""
        knots = checked(tensors, "knots", (KNOTS,)).numpy()
        if (np.diff(knots) < 0).any():
            raise ValueError("the knots of a surprisal must ascend")
        return cls(knots, float(checked(tensors, "rate", (), least=0)))
