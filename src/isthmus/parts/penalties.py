"""Penalties: what is asked of the code besides a good reconstruction, one value a row."""

from dataclasses import dataclass

from torch import Tensor

from isthmus.core.checks import no_negative_number
from isthmus.core.contract import Part, PenaltyModule, Step
from isthmus.core.network import Network


class AbsoluteCode(PenaltyModule):
    """λ‖z‖₁; see `L1`."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, step: Step, network: Network) -> Tensor:
        """(B,) in nats."""
        return self.weight * step.code.mean.abs().sum(1)


@dataclass
class L1(Part):
    """λ‖z‖₁: codes of which most entries are near zero (a Laplace prior on the code, up to a constant).

    Unless the decoder's weights are tied or normalised, the code can shrink while they grow: `decoder="tied"` prevents
    it.

    Parameters
    ----------
    weight : float
        λ, in nats per unit of the code.
    """

    weight: float = 0.01

    def build(self, features: int, latent: int) -> AbsoluteCode:
        """Return the module that maps (step, network) to (B,)."""
        return AbsoluteCode(no_negative_number("weight of L1", self.weight))
