"""Errors of a network and of its closed form on the same rows, from which a `Floor` is told."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Self

import numpy as np
import torch
from scipy.stats import t as student_t
from scipy.stats import wilcoxon
from torch import Generator, Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.estimators.closed_forms import ClosedForm
from isthmus.estimators.floor import Floor

BLOCK = 512
"""Rows that are compared at a time."""


class Comparison(NamedTuple):
    """Errors on the same held-out rows.

    Parameters
    ----------
    model, closed_form, without
        (n,) errors of the network, of the closed form, and of the means alone, in float64.
    weight
        (n,) sample weights.
    """

    model: Tensor
    closed_form: Tensor
    without: Tensor
    weight: Tensor

    @classmethod
    def of(cls, network: Network, closed_form: ClosedForm, rows: Rows, held_out: Tensor) -> Self:
        """Compare a network, in evaluation mode, with a closed form on rows that neither has seen."""
        errors, weights = [], []
        with corrupted_alike(network, rows):
            for index in held_out.split(BLOCK):
                x, weight = rows.batch(index)
                errors.append(closed_form.compare(network, x).double().cpu())
                weights.append(torch.ones(len(x), dtype=torch.float64) if weight is None else weight.double().cpu())
        model, own, without = torch.cat(errors, 1)
        return cls(model, own, without, torch.cat(weights))

    @classmethod
    def joined(cls, comparisons: Sequence[Self]) -> Self:
        """Return comparisons on different rows as one."""
        return cls(*(torch.cat(part) for part in zip(*comparisons, strict=True)))

    def by_group(self, groups: np.ndarray) -> Self:
        """Return the mean errors of each group of rows, numbered by (n,), with the sum of its weights.

        Rows of one group are not independent, and equal rows say no more than one of their weight.
        """
        number = torch.from_numpy(np.unique(groups, return_inverse=True)[1].reshape(-1))
        totals = torch.zeros(int(number.max()) + 1, dtype=torch.float64)
        weight = totals.index_add(0, number, self.weight)
        model, closed_form, without, _ = (totals.index_add(0, number, part * self.weight) / weight for part in self)
        return type(self)(model, closed_form, without, weight)

    def floor(self, method: str, folds: int = 0) -> Floor:
        """Return the means over rows, and the standard error of the difference."""
        ours, theirs, without, weight = (part.numpy() for part in self)
        change = float(np.average(ours - theirs, weights=weight))
        spread = math.sqrt(float(np.average((ours - theirs - change) ** 2, weights=weight)))
        return Floor(
            method,
            float(np.average(theirs, weights=weight)),
            float(np.average(ours, weights=weight)),
            change,
            spread / math.sqrt(max(len(ours) - 1, 1)),
            len(ours),
            float(np.average(without, weights=weight)),
            chance_of(ours - theirs, weight, folds > 0),
            folds=folds,
        )


def chance_of(change: np.ndarray, weight: np.ndarray, crossed: bool = False) -> float:
    """Return the probability that changes (n,) are on average so far below 0 by chance.

    Twice the lesser p-value of a t-test of their weighted mean and of Wilcoxon's signed-rank test, which counts rows of
    any weight alike; both are one-sided. Only the latter has power where a few wild rows make the spread. In
    cross-validation, of few rows, a wild one may be all that new rows show: there the t-test decides alone.
    """
    n = len(change)
    if n < 2 or not change.any():
        return 1.0
    mean = np.average(change, weights=weight)
    error = math.sqrt(float(np.average((change - mean) ** 2, weights=weight)) / (n - 1))
    of_mean = float(student_t.cdf(mean / error, n - 1)) if error > 0 else float(mean >= 0)
    if crossed:
        return of_mean
    return min(1.0, 2 * min(of_mean, float(wilcoxon(change, alternative="less", method="asymptotic").pvalue)))


def errors_on(network: Network, closed_form: ClosedForm, rows: Rows, held_out: Tensor) -> Tensor:
    """Return the error of a network on each of the rows at these positions, (n,), in the measure of a closed form."""
    with corrupted_alike(network, rows):
        found = [closed_form.errors_of(network, rows.batch(index)[0]) for index in held_out.split(BLOCK)]
    return torch.cat(found).double().cpu()


@contextmanager
def corrupted_alike(network: Network, rows: Rows) -> Iterator[None]:
    """Let corruptions, but nothing else, draw the same noise each time, without gradients."""
    if network.corruption is not None:
        network.corruption.generator = Generator(rows.device).manual_seed(0)
    try:
        with torch.no_grad():
            yield
    finally:
        network.seed(None)
