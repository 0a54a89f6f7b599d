"""Corruptions q(x̃|x): what is done to a row before it is encoded, in training only."""

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.core.checks import no_negative_number
from isthmus.core.contract import Corrupted, CorruptionModule, Part


class AddedNoise(CorruptionModule):
    """x̃ = x + σε; see `GaussianNoise`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Corrupted:
        """(B, F) to noisy rows."""
        return Corrupted(x + self.scale * torch.empty_like(x).normal_(generator=self.generator))


@dataclass
class GaussianNoise(Part):
    """x̃ = x + σε, ε ~ N(0, I): the denoising autoencoder (Vincent et al. 2008).

    Its optimum is x̂ = E[x|x̃] = x̃ + σ² ∇ log p_σ(x̃) (Tweedie's formula).

    Parameters
    ----------
    scale : float
        σ in units of the scaled data: 0.1 to 0.5 on standardised columns.
    """

    scale: float = 0.3

    def build(self, features: int) -> AddedNoise:
        """Return the module for rows of that many columns."""
        return AddedNoise(no_negative_number("scale of GaussianNoise", self.scale))
