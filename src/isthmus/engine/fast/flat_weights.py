"""`FlatWeights`: the weights of a network as parts of one vector, and their gradient as parts of another."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ALIGNED = 16
"""Each weight matrix starts at a multiple of so many numbers, where every instruction can load it."""


class FlatWeights:
    """The weights of a network in one vector; until `release` the network's weights are views of it.

    Parameters
    ----------
    parameters
        The weights, of one number type and on one device.

    Attributes
    ----------
    vector
        (P,) the weights, with some zeros between them.
    gradient
        (P,) their gradient.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        self.starts: list[int] = []
        size = 0
        for parameter in self.parameters:
            self.starts.append(size)
            size += -(-parameter.numel() // ALIGNED) * ALIGNED
        first = self.parameters[0]
        self.vector = torch.zeros(size, dtype=first.dtype, device=first.device)
        self.gradient = torch.zeros_like(self.vector)
        for view, parameter in zip(self.split(self.vector), self.parameters, strict=True):
            view.copy_(parameter.data)
            parameter.data = view

    def split(self, vector: Tensor) -> list[Tensor]:
        """Return the stretch of a vector (P,) that belongs to each weight matrix or bias, in its shape."""
        return [
            vector[start : start + parameter.numel()].view(parameter.shape)
            for start, parameter in zip(self.starts, self.parameters, strict=True)
        ]

    def release(self) -> None:
        """Give every weight matrix and bias memory of its own again."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None


def can_be_flat(network: nn.Module) -> bool:
    """Whether all weights of a network are trained, in one number type and on one device."""
    found = list(network.parameters())
    kinds = {(p.dtype, p.device) for p in found}
    return len(kinds) == 1 and all(p.requires_grad for p in found)
