"""Penalties on the codes of a batch together: `MMD` towards a prior, `TotalCorrelation` between coordinates."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from isthmus.core.checks import no_negative_number, positive_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, PenaltyModule, Prior, Step
from isthmus.core.divergences import precise, squared_mmd, total_correlation
from isthmus.core.network import Network
from isthmus.parts.priors import drawn_beside, needs_posterior, prior_of


class KernelDistance(PenaltyModule):
    """λ·MMD²(q(z), p(z)); see `MMD`."""

    prior: Prior

    def __init__(self, weight: float, kernel: str, prior: Prior) -> None:
        super().__init__()
        self.weight = weight
        self.kernel = kernel
        self.prior = prior

    def forward(self, step: Step, network: Network) -> Tensor:
        """(B,) in nats, the same for every row."""
        z = precise(step.code.z)
        drawn = drawn_beside(z, self.prior, self)
        return self.weight * squared_mmd(self.kernel, z, drawn, step.weight).expand(len(z))


@dataclass
class MMD(Part):
    """λ·MMD²(q(z), N(0, I)): the codes of all rows together look like draws of the prior (Tolstikhin et al. 2018).

    Unbiased over the batch and as many draws, so that it may be slightly negative.

    Parameters
    ----------
    weight : float
        λ, in nats. The squared distance is at most about 7, so that it takes the size of the reconstruction's nats.
    kernel : {"imq", "rbf"}
        Inverse multiquadratic at seven scales, or Gaussian.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> wasserstein = AutoEncoder(latent=8, penalty=MMD(weight=100.0))
    """

    weight: float = 100.0
    kernel: str = "imq"
    prior: Any = "gaussian"

    def build(self, features: int, latent: int) -> KernelDistance:
        """Return the module that maps (step, network) to (B,)."""
        refuse_unknown("kernel of MMD", self.kernel, ("imq", "rbf"))
        weight = no_negative_number("weight of MMD", self.weight)
        return KernelDistance(weight, self.kernel, prior_of("prior of MMD", self.prior, latent))


class Dependence(PenaltyModule):
    """(β - 1)·TC; see `TotalCorrelation`."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def check(self, network: Network) -> None:
        """Refuse a code without a posterior."""
        needs_posterior("the penalty TotalCorrelation", network)

    def forward(self, step: Step, network: Network) -> Tensor:
        """(B,) in nats."""
        assert step.code.posterior is not None
        return self.weight * total_correlation(step.code.z, step.code.posterior, step.weight)


@dataclass
class TotalCorrelation(Part):
    """(β - 1)·TC(z), TC = KL(q(z) ‖ Πⱼ q(zⱼ)): how far coordinates depend on each other (β-TCVAE, Chen et al. 2018).

    To be added to `KL`, of which it is a part: together nll + index-code information + β·TC + dimension-wise KL.
    Estimated over the batch, with its posteriors as the mixture q(z).

    Parameters
    ----------
    beta : float
        β, above 0; at 1 the penalty vanishes.

    Raises
    ------
    ValueError
        In `fit`, with a code that has no posterior.

    Examples
    --------
    >>> from isthmus import KL, AutoEncoder
    >>> tcvae = AutoEncoder(latent=8, code="gaussian", penalty=[KL(), TotalCorrelation(6.0)])
    """

    beta: float = 6.0

    def build(self, features: int, latent: int) -> Dependence:
        """Return the module that maps (step, network) to (B,)."""
        return Dependence(positive_number("beta of TotalCorrelation", self.beta) - 1)
