"""Penalties on all codes of a batch together: `MMD` to a prior, `TotalCorrelation` between coordinates."""

from dataclasses import dataclass

from torch import Tensor

from isthmus.core.checks import no_negative_number, positive_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, Prior, Step
from isthmus.core.divergences import pairwise_information, precise, squared_mmd
from isthmus.core.network import Network, PenaltyModule
from isthmus.core.registry import register
from isthmus.parts.priors import Sampler, drawn_beside, needs_posterior, prior_of


class KernelDistance(PenaltyModule):
    """λ·MMD²(q(z), p(z)); see `MMD`."""

    def __init__(self, weight: float, kernel: str, prior: Prior) -> None:
        super().__init__()
        self.weight = weight
        self.kernel = kernel
        self.prior: Prior = prior

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty, (B,), in nats; the same for every row."""
        z = precise(step.code.z)
        drawn = drawn_beside(z, self.prior, self)
        return self.weight * squared_mmd(self.kernel, z, drawn, step.weight).expand(len(z))


@register("penalty")
@dataclass
class MMD(Part):
    """λ·MMD²(q(z), p(z)): the codes of all rows together look like draws from the prior (Tolstikhin et al. 2018).

    The estimate from a batch and as many draws is unbiased, so it may be slightly negative.

    Parameters
    ----------
    weight : float
        λ, in nats, at least 0. The squared distance is at most about 7, so λ must be of the order of the
        reconstruction's nats.
    kernel : {"imq", "rbf"}
        Inverse multiquadratic at seven scales, or Gaussian.
    prior : str, part or callable
        "gaussian": N(0, I); "mixture": ten Gaussians on a circle (`MixturePrior`); or a function (count, latent,
        generator) that returns codes (count, latent).

    Raises
    ------
    ValueError
        In `fit`, if a parameter is not one of these.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> wasserstein = AutoEncoder(latent=8, penalty=MMD(weight=100.0))
    """

    weight: float = 100.0
    kernel: str = "imq"
    prior: str | Part | Prior | Sampler = "gaussian"

    def build(self, features: int, latent: int) -> KernelDistance:
        """Return the module from (step, network) to (B,)."""
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
        """Return the penalty of each row, (B,), in nats."""
        assert step.code.posterior is not None
        return self.weight * pairwise_information(step.code.z, step.code.posterior, step.weight)


@register("penalty")
@dataclass
class TotalCorrelation(Part):
    """(β - 1)·TC(z), TC = KL(q(z) ‖ Πⱼ q(zⱼ)): the dependence between coordinates (β-TCVAE, Chen et al. 2018).

    Use it together with `KL`, which contains TC: together they make nll + index-code information + β·TC +
    dimension-wise KL. TC is estimated to second order, as the sum over pairs of coordinates of their mutual information
    under the mixture of the batch's posteriors: a batch says nothing of the density of many coordinates, and the
    authors' estimate of it punishes information in place of dependence.

    Parameters
    ----------
    beta : float
        β, above 0; at 1 the penalty is 0.

    Raises
    ------
    ValueError
        In `fit`, if the code has no posterior, or if β is not above 0.

    Examples
    --------
    >>> from isthmus import KL, AutoEncoder
    >>> tcvae = AutoEncoder(latent=8, code="gaussian", penalty=[KL(), TotalCorrelation(6.0)])
    """

    beta: float = 6.0

    def build(self, features: int, latent: int) -> Dependence:
        """Return the module from (step, network) to (B,)."""
        return Dependence(positive_number("beta of TotalCorrelation", self.beta) - 1)
