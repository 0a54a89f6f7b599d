"""The losses of counts with their gradients written out, for `WrittenOut`, into memory that is there."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.core.likelihood import LikelihoodModule
from isthmus.parts.counts import LARGEST, MultinomialLikelihood, PoissonLikelihood, log_factorial

if TYPE_CHECKING:
    from isthmus.engine.fast.fused_backward import Room

aten = torch.ops.aten


def poisson(x: Tensor, theta: "Room", spare: "Room") -> Tensor:
    """Return the mean of Σ λ - x log λ + log x! over the rows x (B, F), log λ = θ; leave gradient in `spare`."""
    torch.clamp(theta.vector, -LARGEST, LARGEST, out=spare.vector)
    beyond = spare.matrix != theta.matrix
    figure = log_factorial(x).sum(1) - torch.linalg.vecdot(x, spare.matrix)
    torch.exp(spare.vector, out=spare.vector)
    figure += spare.matrix.sum(1)
    spare.matrix.sub_(x).div_(len(x)).masked_fill_(beyond, 0)
    return figure.sum() / len(x)


def multinomial(x: Tensor, theta: "Room", spare: "Room") -> Tensor:
    """Return the mean of Σ log x! - x log p - log n! over the rows x (B, F), p = softmax(θ); gradient in `spare`."""
    aten._log_softmax.out(theta.matrix, 1, False, out=spare.matrix)
    total = x.sum(1, keepdim=True)
    figure = log_factorial(x).sum(1) - torch.linalg.vecdot(x, spare.matrix) - torch.lgamma(total[:, 0] + 1)
    torch.exp(spare.vector, out=spare.vector)
    spare.matrix.mul_(total).sub_(x).div_(len(x))
    return figure.sum() / len(x)


LOSSES: dict[type[LikelihoodModule], Callable[[Tensor, "Room", "Room"], Tensor]] = {
    PoissonLikelihood: poisson,
    MultinomialLikelihood: multinomial,
}
"""By likelihood: rows (B, F), room for the decoder's outputs (B, F), and a spare one, to the mean loss."""
