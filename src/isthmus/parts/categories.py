"""`Categorical`: columns with one of several values, encoded as blocks of zeros and a one."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Generator, Tensor

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

    def mean(self, theta: Tensor) -> Tensor:
        """Return probabilities (B, F), which sum to 1 in each block, from logits (B, F)."""
        return torch.cat([block.softmax(1) for block in theta.split(self.sizes, dim=1)], dim=1)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -x log p of each cell, (B, F), in nats."""
        return -x * self.log_mean(theta)

    def log_mean(self, theta: Tensor) -> Tensor:
        """Return log p of each cell, (B, F)."""
        return torch.cat([block.log_softmax(1) for block in theta.split(self.sizes, dim=1)], dim=1)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return x log(x/p) - x + p, (B, F): over a block it sums to KL(x ‖ p)."""
        log_mean = self.log_mean(theta)
        return (torch.xlogy(x, x) - x * log_mean - x + torch.exp(log_mean)).clamp_min(0)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return -x log p of each cell, (B, F), which sums to the half deviance over a block of zeros and a one."""
        return self.columns(x, theta)

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
