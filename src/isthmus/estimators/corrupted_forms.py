"""Closed forms of networks that undo a corruption: the Wiener filter of noise, and a normal distribution of holes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents

MOST_FILLED, MOST_COMPONENTS = 256, 64
"""Rows, and components, with which filled holes are compared: each row has a system of equations of its own."""
MOST_PAIRS = 2**23
"""Products of pairs of components, over all columns, that make up these systems."""
LEAST_COUNT = 1e-12
"""Least weight of the cells by which a row's error is divided."""


@dataclass(frozen=True, eq=False)
class CorruptedComponents:
    """Principal components that undo what a corruption did to the same rows as the network sees.

    Against noise they are the Wiener filter of their rank; holes are filled by a normal distribution given the other
    cells, and count alone.

    Parameters
    ----------
    principal
        The components.
    noise : float
        Variance of the noise that is to be undone; 0 where holes are to be filled.
    """

    principal: PrincipalComponents
    noise: float

    @property
    def method(self) -> str:
        """The closed form and its number of components."""
        name = "Wiener filter with" if self.noise > 0 else "Gaussian of"
        return f"{name} {self.principal.components.shape[1]}"

    @property
    def most_rows(self) -> int | None:
        """How many rows are compared; None for all."""
        return None if self.noise > 0 else MOST_FILLED

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the mean squared error of a network on corrupted rows, (B,)."""
        return self.compare(network, x)[0]

    def compare(self, network: Network, x: Tensor) -> Tensor:
        """Return the errors of a network, of the closed form and of the mean row, (3, B) float64."""
        corruption = network.corruption
        assert corruption is not None, "there is something to undo"
        seen, mask, cells = corruption(x)
        target = x.double()
        components = self.principal.like(target)
        if self.noise > 0 or cells is None:
            near = components.denoised(seen.double(), self.noise)
        else:
            near = components.filled(target, (cells > 0).double())
        found = network.likelihood.reconstruct(x, network.decoder(network.encode(seen, mask).mean)).double()
        weight = torch.ones_like(target) if cells is None else cells.double()
        squares = [(guess - target).square() * weight for guess in (found, near, components.mean)]
        return torch.stack([each.sum(1) / weight.sum(1).clamp_min(LEAST_COUNT) for each in squares])


def undoes(network: Network) -> bool:
    """Return whether a network learns to undo noise of a known variance, or to fill what is hidden."""
    corruption = network.corruption
    return corruption is not None and (corruption.weighs or corruption.noise_variance > 0)


def components_to_compare(network: Network, columns: int) -> int:
    """Return the number of components: that of the code's numbers, and at most 64 to fill holes."""
    fills = network.corruption is not None and network.corruption.weighs
    most = min(MOST_COMPONENTS, columns - 1, math.isqrt(MOST_PAIRS // columns)) if fills else columns
    return max(min(network.code.latent, most), 1)
