"""Rescaling: a network whose units change with a stream; its outer layers absorb the change."""

from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.core.modules import FixedComponents, Stack
from isthmus.core.network import Network
from isthmus.parts.likelihoods import GaussianLikelihood


class UnitChange(NamedTuple):
    """A row x in the old units is a·y + b, with y the row in the new ones."""

    ratio: Tensor
    """a, (F,)."""
    shift: Tensor
    """b, (F,)."""

    @classmethod
    def between(cls, shift: Tensor, scale: Tensor, new_shift: Tensor, new_scale: Tensor) -> "UnitChange":
        """Return the change from the units (v - shift)/scale to (v - new_shift)/new_scale, (F,) each."""
        return cls(new_scale / scale, (new_shift - shift) / scale)

    def only(self, chosen: Tensor) -> "UnitChange":
        """Return the change of the chosen columns (F,) alone."""
        return UnitChange(torch.where(chosen, self.ratio, 1.0), torch.where(chosen, self.shift, 0.0))


def can_rescale(network: Network) -> bool:
    """Whether a change of units can be absorbed: dense layers at either end, and a last layer that gives the mean."""
    encoder, decoder, likelihood = network.encoder, network.decoder, network.likelihood
    return (
        isinstance(encoder, Stack | FixedComponents)
        and isinstance(decoder, Stack)
        and type(likelihood) is GaussianLikelihood
        and likelihood.activation == "identity"
        and likelihood.outputs == likelihood.features == encoder.weights[0].shape[1]
    )


@torch.no_grad()
def rescale(network: Network, optimiser: torch.optim.Optimizer | None, change: UnitChange) -> None:
    """Change the units of a network, so that it does the same in the data's own units.

    The first layer becomes W(a·y + b) + c, the last one (Vh + d - b)/a. Adam's running means of gradients change by
    the chain rule, those of squared gradients as if b were 0.

    Parameters
    ----------
    network
        One for which `can_rescale` holds.
    optimiser
        Adam; None if there is none to go on with.
    change
        The change of units, by column.
    """
    rescale_first(network, optimiser, change)
    rescale_last(network, optimiser, change)
    likelihood = network.likelihood
    if isinstance(likelihood, GaussianLikelihood) and likelihood.mode == "columns":
        likelihood.variance /= change.ratio.to(likelihood.variance).square()


def rescale_first(network: Network, optimiser: torch.optim.Optimizer | None, change: UnitChange) -> None:
    """Change the units of what the encoder sees, as far as its first columns go."""
    assert isinstance(network.encoder, Stack | FixedComponents)
    first, offset = network.encoder.weights[0], network.encoder.biases[0]
    a, b = change.ratio.to(first), change.shift.to(first)
    columns = slice(0, len(a))
    offset += first[:, columns] @ b
    first[:, columns] *= a
    if optimiser is None:
        return
    moments = optimiser.state.get(first, {}), optimiser.state.get(offset, {})
    if all("exp_avg" in state for state in moments):
        moments[0]["exp_avg"][:, columns] -= torch.outer(moments[1]["exp_avg"], b)
    rescale_moments(optimiser, first, (slice(None), columns), 1 / a)


def rescale_last(network: Network, optimiser: torch.optim.Optimizer | None, change: UnitChange, start: int = 0) -> None:
    """Change the units of the decoder's outputs from `start` on, as many as the change has columns."""
    assert isinstance(network.decoder, Stack)
    last, end = network.decoder.weights[-1], network.decoder.biases[-1]
    a, b = change.ratio.to(last), change.shift.to(last)
    outputs = slice(start, start + len(a))
    last[outputs] /= a[:, None]
    end[outputs] = (end[outputs] - b) / a
    if optimiser is not None:
        rescale_moments(optimiser, last, outputs, a[:, None])
        rescale_moments(optimiser, end, outputs, a)


def rescale_moments(
    optimiser: torch.optim.Optimizer, parameter: Tensor, part: slice | tuple[slice, slice], factor: Tensor
) -> None:
    """Multiply what Adam remembers of the gradients of part of a parameter by a factor that fits its shape."""
    state = optimiser.state.get(parameter, {})
    for name, power in (("exp_avg", 1), ("exp_avg_sq", 2)):
        if name in state:
            state[name][part] *= factor**power
