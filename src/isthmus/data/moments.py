"""`RunningMoments`: what is known of columns that pass by once."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from isthmus.data.scaling import Summary


class RunningMoments:
    """Mean, variance, least and greatest value of every column, over blocks of rows that come one after another.

    Means and sums of squares of blocks are merged as Chan, Golub and LeVeque (1983) do, in float64.

    Parameters
    ----------
    features
        Columns F.

    Examples
    --------
    >>> running = RunningMoments(1)
    >>> for block in ([[1.0], [2.0]], [[6.0]]):
    ...     running.add(torch.tensor(block, dtype=torch.float64))
    >>> running.summary.mean, running.summary.variance
    (tensor([3.], dtype=torch.float64), tensor([4.6667], dtype=torch.float64))
    """

    def __init__(self, features: int) -> None:
        self.total = 0.0
        self.mean = torch.zeros(features, dtype=torch.float64)
        self.squares = torch.zeros_like(self.mean)
        self.smallest = torch.full_like(self.mean, np.inf)
        self.largest = torch.full_like(self.mean, -np.inf)
        self.whole = torch.ones_like(self.mean, dtype=torch.bool)

    @classmethod
    def of(cls, summary: Summary, total: float) -> "RunningMoments":
        """Go on from rows that were summarised, of this total weight."""
        running = cls(len(summary.mean))
        running.total, running.mean, running.squares = total, summary.mean.clone(), summary.variance * total
        running.smallest, running.largest = summary.smallest.clone(), summary.largest.clone()
        running.whole = summary.whole.clone()
        return running

    def add(self, x: Tensor, weight: Tensor | None = None, fractions: bool = True) -> None:
        """Take in rows (b, F) in float64 and their weights (b,); `fractions` says whether there may be any."""
        if not len(x):
            return
        weights = torch.ones_like(x[:, 0]) if weight is None else weight.double()
        total = float(weights.sum())
        mean = weights @ x / total
        centred = x - mean
        other = RunningMoments(len(mean))
        other.total, other.mean, other.squares = total, mean, weights @ centred.square_()
        other.smallest, other.largest = x.amin(0), x.amax(0)
        if fractions:
            other.whole = (x == x.round()).all(0)
        self.join(other)

    def join(self, other: "RunningMoments") -> None:
        """Take in what is known of other rows."""
        share = other.total / (self.total + other.total)
        away = other.mean - self.mean
        self.squares = self.squares + other.squares + away.square() * (self.total * share)
        self.mean = self.mean + away * share
        self.total += other.total
        self.smallest = torch.minimum(self.smallest, other.smallest)
        self.largest = torch.maximum(self.largest, other.largest)
        self.whole = self.whole & other.whole

    @property
    def state(self) -> dict[str, Tensor]:
        """All of it, to be saved."""
        state = {name: getattr(self, name) for name in ("mean", "squares", "smallest", "largest", "whole")}
        return state | {"total": torch.tensor(self.total, dtype=torch.float64)}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "RunningMoments":
        """Undo `state`."""
        running = cls(len(state["mean"]))
        vars(running).update(state, total=float(state["total"]))
        return running

    @property
    def summary(self) -> Summary:
        """Of all rows so far."""
        return Summary(
            self.mean.clone(),
            (self.squares / self.total).clamp_min(0),
            self.smallest.clone(),
            self.largest.clone(),
            self.whole.clone(),
        )
