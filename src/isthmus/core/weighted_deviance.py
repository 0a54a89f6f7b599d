"""`weighted_deviance`: the deviance loss of rows, differentiated by the likelihood itself rather than by autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from isthmus.core.likelihood import LikelihoodModule


def weighted_deviance(likelihood: LikelihoodModule, x: Tensor, theta: Tensor, weight: Tensor) -> Tensor:
    """Return the sum of the weighted deviance losses of each row, (B,).

    On the processor a single node of the graph stands for all operations of the likelihood, and can be differentiated
    once. On other devices autograd differentiates every operation.

    Parameters
    ----------
    likelihood
        Computes the losses together with their gradient.
    x, theta, weight
        (B, F) rows, (B, P) decoder outputs and the (B, F) weight of each cell, of one number type.
    """
    if x.device.type != "cpu":
        return (likelihood.deviance_loss(x, theta) * weight).sum(1)
    losses: Tensor = WeightedDeviance.apply(theta, likelihood, x, weight)
    return losses


class WeightedDeviance(torch.autograd.Function):
    """The sum of a row's weighted deviance losses as a function of the decoder's outputs."""

    @staticmethod
    def forward(ctx: Any, theta: Tensor, likelihood: LikelihoodModule, x: Tensor, weight: Tensor) -> Tensor:
        """Return the sums, (B,), and keep their gradient."""
        columns, outputs, weights = (of.t().contiguous() for of in (x, theta, weight))
        losses, gradient = torch.empty_like(columns), torch.empty_like(outputs)
        arrays = (of.numpy() for of in (columns, outputs, weights, losses, gradient))
        likelihood.deviance_loss_and_gradient(*arrays)
        ctx.save_for_backward(gradient.t())
        return losses.mul_(weights).sum(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient in the outputs, (B, P), from the one in the sums, (B,)."""
        (gradient,) = ctx.saved_tensors
        return gradient * outer[:, None], None, None, None
