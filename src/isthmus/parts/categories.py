"""`Categorical`: columns with one of several values, encoded as blocks of zeros and a one."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor, nn

from isthmus.core.checks import whole_number
from isthmus.core.contract import Part
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.registry import register


class CategoricalLikelihood(LikelihoodModule):
    """p(x|z) = Π over blocks of softmax(θ)ˣ; see `Categorical`."""

    support = (0.0, 1.0)
    blocked = True

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        self.outputs = sum(sizes)
        self.runs = [(size, len(list(run))) for size, run in groupby(sizes)]
        """Size and number of neighbouring blocks of one size."""
        block = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes, dtype=torch.long))
        self.block: Tensor = nn.Buffer(block, persistent=False)
        """(F,) the block of each cell."""
        self.starts = [0, *accumulate(sizes)][:-1]
        """The first cell of each block."""

    def mean(self, theta: Tensor) -> Tensor:
        """Return probabilities (B, F), which sum to 1 in each block, from logits (B, F)."""
        return self.by_block(theta, torch.softmax)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -x log p of each cell, (B, F), in nats."""
        return -x * self.log_mean(theta)

    def log_mean(self, theta: Tensor) -> Tensor:
        """Return log p of each cell, (B, F)."""
        return self.by_block(theta, torch.log_softmax)

    def by_block(self, theta: Tensor, function: Callable[[Tensor, int], Tensor]) -> Tensor:
        """Apply a function of the logits of a block along a dimension to every block of logits (B, F)."""
        # With the rows in the last dimension many rows are handled together, where a block alone is too short.
        turned = theta.t().contiguous()
        runs = turned.split([size * count for size, count in self.runs])
        pieces = [
            function(run, 0) if count == 1 else function(run.view(count, size, -1), 1).view_as(run)
            for run, (size, count) in zip(runs, self.runs, strict=True)
        ]
        return torch.cat(pieces).t() if pieces else theta

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return x log(x/p) - x + p, (B, F): over a block it sums to KL(x ‖ p)."""
        log_mean = self.log_mean(theta)
        return (torch.xlogy(x, x) - x * log_mean - x + torch.exp(log_mean)).clamp_min(0)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return -x log p of each cell, (B, F), which sums to the half deviance over a block of zeros and a one."""
        return self.columns(x, theta)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write -x log p of each cell, and p Σwx - wx, with the sum over the block."""
        block = self.block.numpy()
        centred = theta - np.maximum.reduceat(theta, self.starts).take(block, 0)
        np.exp(centred, out=gradient)
        total = np.add.reduceat(gradient, self.starts)
        np.subtract(np.log(total).take(block, 0), centred, out=losses)
        losses *= x
        weighted = x * weight
        gradient *= (np.add.reduceat(weighted, self.starts) / total).take(block, 0)
        gradient -= weighted

    def variances(self, theta: Tensor) -> Tensor:
        """Return p(1 - p) of each cell, (B, F)."""
        probability = self.mean(theta)
        return probability * (1 - probability)

    def groups(self, features: int) -> tuple[int, ...]:
        """Return the number of cells of each block."""
        return self.sizes

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw blocks of zeros and a one, (B, F)."""
        drawn = []
        for block in theta.split(self.sizes, dim=1):
            category = torch.multinomial(block.softmax(1), 1, generator=generator)
            drawn.append(torch.zeros_like(block).scatter(1, category, 1.0))
        return torch.cat(drawn, dim=1)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the shares."""
        return mean.clamp_min(1e-3).log()


@register("likelihood", column="category")
@dataclass
class Categorical(Part):
    """Categories as blocks of zeros and a one: -Σ over blocks of log softmax(θ) at the one.

    Parameters
    ----------
    sizes : tuple of int
        Number of cells of each block, in the order of the blocks; they must sum to the cells of a row.

    Raises
    ------
    ValueError
        In `fit`, if the sizes do not sum to the cells of a row.

    Examples
    --------
    >>> import torch
    >>> likelihood = Categorical(sizes=(2, 3)).build(features=5)
    >>> round(float(likelihood.nll(torch.tensor([[1.0, 0, 0, 1, 0]]), torch.zeros(1, 5))), 4)  # log 2 + log 3
    1.7918
    """

    sizes: tuple[int, ...] = ()

    @classmethod
    def for_columns(cls, sizes: tuple[int, ...]) -> Self:
        """Return the likelihood of a table's columns: one block per column."""
        return cls(sizes)

    def build(self, features: int) -> CategoricalLikelihood:
        """Return the module for rows of `features` cells."""
        sizes = tuple(whole_number("sizes of Categorical", size, 1) for size in self.sizes)
        if sum(sizes) != features:
            raise ValueError(
                f"sizes of Categorical must sum to the {features} columns; got {sizes}, which is {sum(sizes)}"
            )
        return CategoricalLikelihood(sizes)
