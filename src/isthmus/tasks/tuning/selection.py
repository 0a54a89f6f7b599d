"""Which of the trials is taken: the smallest that is no worse than the best beyond one standard error."""

import base64
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, and its standard error."""

    mean: float
    standard_error: float


def mean_loss(losses: np.ndarray, strata: np.ndarray | None) -> float:
    """Return the mean of losses (m,), or the mean of the means of its strata (m,)."""
    if strata is None:
        return float(losses.mean())
    return float(np.mean([losses[strata == one].mean() for one in np.unique(strata)]))


def difference(losses: np.ndarray, others: np.ndarray, strata: np.ndarray | None = None) -> Difference:
    """Return by how much losses (m,) are above others on the same rows.

    Where the mean loss of each stratum is the same quantity, as for the area under a ROC curve, the variances of the
    strata's means add up (DeLong, DeLong and Clarke-Pearson 1988).

    Examples
    --------
    >>> found = difference(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    >>> found.mean, round(found.standard_error, 3)
    (1.0, 0.577)
    """
    paired = losses - others
    groups = [paired] if strata is None else [paired[strata == one] for one in np.unique(strata)]
    variance = sum(group.var(ddof=1) / len(group) if len(group) > 1 else 0.0 for group in groups)
    return Difference(mean_loss(paired, strata), float(np.sqrt(variance)))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A finished trial, as far as it is compared with others."""

    number: int
    losses: np.ndarray
    default: bool = False
    latent: int = 0
    weights: int = 0
    changed: int = 0

    @property
    def simplicity(self) -> tuple[bool, int, int, int, int]:
        """Less is simpler: the defaults first, then small codes, few weights, and few changes."""
        return not self.default, self.latent, self.weights, self.changed, self.number


def chosen(candidates: list[Candidate], strata: np.ndarray | None) -> tuple[Candidate, Candidate]:
    """Return the candidate that is taken and the best one: of all within one standard error of it, the simplest."""
    best = min(candidates, key=lambda one: (mean_loss(one.losses, strata), one.simplicity))
    near = []
    for one in candidates:
        behind = difference(one.losses, best.losses, strata)
        if behind.mean <= behind.standard_error:
            near.append(one)
    return min(near, key=lambda one: one.simplicity), best


def packed(losses: np.ndarray) -> str:
    """Return losses as text, for a journal; in float32.

    >>> unpacked(packed(np.array([0.5, 0.25]))).tolist()
    [0.5, 0.25]
    """
    return base64.b85encode(np.asarray(losses, dtype="<f4").tobytes()).decode("ascii")


def unpacked(text: str) -> np.ndarray:
    """Return the losses of which `packed` returned the text, (m,) float64."""
    return np.frombuffer(base64.b85decode(text), dtype="<f4").astype(np.float64)
