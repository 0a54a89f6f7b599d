"""`Categorical`: columns that are one of several, as blocks of zeros and a one."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from isthmus.core.checks import whole_number
from isthmus.core.contract import LikelihoodModule, Part


class CategoricalLikelihood(LikelihoodModule):
    """p(x|z) = Π over blocks of softmax(θ)ˣ; see `Categorical`."""

    support = (0.0, 1.0)

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        self.outputs = sum(sizes)

    def mean(self, theta: Tensor) -> Tensor:
        """Logits (B, F) to probabilities (B, F) that add up to 1 in each block."""
        return torch.cat([block.softmax(1) for block in theta.split(self.sizes, dim=1)], dim=1)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """-x log p of each cell, (B, F), in nats."""
        return -x * torch.cat([block.log_softmax(1) for block in theta.split(self.sizes, dim=1)], dim=1)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw blocks of zeros and a one, (B, F)."""
        drawn = []
        for block in theta.split(self.sizes, dim=1):
            chosen = torch.multinomial(block.softmax(1), 1, generator=generator)
            drawn.append(torch.zeros_like(block).scatter(1, chosen, 1.0))
        return torch.cat(drawn, dim=1)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the shares."""
        return mean.clamp_min(1e-3).log()


@dataclass
class Categorical(Part):
    """Categories as blocks of zeros and a one: -Σ over blocks of log softmax(θ) at the one.

    Parameters
    ----------
    sizes : tuple of int
        Columns of each block, in their order; together all columns of a row.

    Raises
    ------
    ValueError
        In `fit`, for sizes that do not add up to the columns.

    Examples
    --------
    >>> import torch
    >>> likelihood = Categorical(sizes=(2, 3)).build(features=5)
    >>> round(float(likelihood.nll(torch.tensor([[1.0, 0, 0, 1, 0]]), torch.zeros(1, 5))), 4)  # log 2 + log 3
    1.7918
    """

    sizes: tuple[int, ...] = ()

    def build(self, features: int) -> CategoricalLikelihood:
        """Return the module for rows of that many columns."""
        sizes = tuple(whole_number("sizes of Categorical", size, 1) for size in self.sizes)
        if sum(sizes) != features:
            raise ValueError(
                f"sizes of Categorical have to add up to the {features} columns; got {sizes}, which is {sum(sizes)}"
            )
        return CategoricalLikelihood(sizes)
