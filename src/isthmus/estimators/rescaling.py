"""Rescaling: a network whose units change with a stream; its outer layers absorb the change."""

import torch
from torch import Tensor

from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.data.scaling import AffineScaling
from isthmus.parts.likelihoods import GaussianLikelihood


def can_rescale(network: Network) -> bool:
    """Whether a change of units can be absorbed: dense layers at either end, and a last layer that gives the mean."""
    encoder, decoder, likelihood = network.encoder, network.decoder, network.likelihood
    return (
        isinstance(encoder, Stack)
        and isinstance(decoder, Stack)
        and type(likelihood) is GaussianLikelihood
        and likelihood.activation == "identity"
        and likelihood.outputs == likelihood.features == encoder.weights[0].shape[1]
    )


@torch.no_grad()
def rescale(
    network: Network, optimiser: torch.optim.Optimizer | None, before: AffineScaling, after: AffineScaling
) -> None:
    """Change the units of a network from one scaling to another, so that it does the same in the data's own units.

    A row x in the old units is a·y + b in the new ones, with a = s'/s and b = (m' - m)/s. The first layer becomes
    W(a·y + b) + c, the last one (Vh + d - b)/a. Adam's running means of gradients change by the chain rule, those of
    squared gradients as if b were 0.

    Parameters
    ----------
    network
        One for which `can_rescale` holds.
    optimiser
        Adam; None if there is none to go on with.
    before, after
        (F,) shift and scale each.
    """
    encoder, decoder = network.encoder, network.decoder
    assert isinstance(encoder, Stack)
    assert isinstance(decoder, Stack)
    first, offset = encoder.weights[0], encoder.biases[0]
    last, end = decoder.weights[-1], decoder.biases[-1]
    ratio = after.scale / before.scale
    shift = (after.shift - before.shift) / before.scale
    a, b = ratio.to(first), shift.to(first)
    offset += first @ b
    first *= a
    last /= a[:, None]
    end.sub_(b).div_(a)
    likelihood = network.likelihood
    if isinstance(likelihood, GaussianLikelihood) and likelihood.mode == "columns":
        likelihood.variance /= ratio.to(likelihood.variance).square()
    if optimiser is not None:
        moments = optimiser.state.get(first, {}), optimiser.state.get(offset, {})
        if all("exp_avg" in state for state in moments):
            moments[0]["exp_avg"] -= torch.outer(moments[1]["exp_avg"], b)
        for parameter, factor in ((first, 1 / a), (last, a[:, None]), (end, a)):
            rescale_moments(optimiser, parameter, factor)


def rescale_moments(optimiser: torch.optim.Optimizer, parameter: Tensor, factor: Tensor) -> None:
    """Multiply what Adam remembers of a parameter's gradients by a factor that fits its shape."""
    state = optimiser.state.get(parameter, {})
    for name, power in (("exp_avg", 1), ("exp_avg_sq", 2)):
        if name in state:
            state[name].mul_(factor**power)
