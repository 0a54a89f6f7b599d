"""Objectives that are not a sum of -log p(x|z) and penalties: `ImportanceWeighted`."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from isthmus.core.checks import whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, Step
from isthmus.core.divergences import precise
from isthmus.core.network import Network, ObjectiveModule
from isthmus.core.registry import register
from isthmus.parts.priors import StandardNormal, needs_posterior, source

ROWS = 2**15
"""Rows that pass the decoder at a time outside training."""


class ImportanceBound(ObjectiveModule):
    """-log (1/k) Σᵢ p(x, zᵢ)/q(zᵢ|x); see `ImportanceWeighted`."""

    prior = StandardNormal()

    def __init__(self, samples: int, estimator: str) -> None:
        super().__init__()
        self.samples = samples
        self.doubly = estimator == "dreg"

    def check(self, network: Network) -> None:
        """Refuse a code without a posterior, and a second KL."""
        needs_posterior("the objective ImportanceWeighted", network)
        if any(demand.in_bound for demand in network.demands):
            raise ValueError(
                "the objective ImportanceWeighted contains the penalty KL already: take penalty=None, or objective=None"
            )

    def forward(self, step: Step, network: Network) -> dict[str, Tensor]:
        """Return {"bound": (B,)} in nats."""
        posterior = step.code.posterior
        assert posterior is not None
        mean, deviation = posterior.mean, posterior.stddev
        generator = source(self, mean)
        # Without a seed, all rows have the same noise, so that the result of a row depends on that row alone.
        rows = len(mean) if generator is self.generator else 1
        noise = mean.new_empty(self.samples, rows, mean.shape[1]).normal_(generator=generator)
        # In training one pass, for statistics over all draws; else as many draws at a time as fit.
        learns = self.training or torch.is_grad_enabled()
        at_a_time = self.samples if learns else max(1, ROWS // max(1, len(mean)))
        log_weights = torch.cat(
            [self.log_weights(step, network, mean + deviation * part, posterior) for part in noise.split(at_a_time)]
        )
        return {"bound": math.log(self.samples) - torch.logsumexp(log_weights, dim=0)}

    def log_weights(self, step: Step, network: Network, z: Tensor, posterior: Normal) -> Tensor:
        """Return log p(x|z) + log p(z) - log q(z|x), (k, B), of draws z (k, B, K)."""
        mean, deviation = posterior.mean, posterior.stddev
        if self.doubly:
            # The score of q has mean zero and a variance that grows with k (Tucker et al. 2019, equation 8).
            mean, deviation = mean.detach(), deviation.detach()
        draws = len(z)
        rows = step.x.repeat(draws, 1)
        weight = None if step.weight is None else step.weight.repeat(draws)
        cells = None if step.cells is None else step.cells.repeat(draws, 1)
        nll = network.likelihood.nll(rows, network.decoder(z.flatten(0, 1)), weight, cells).view(draws, -1)
        # log p(z) - log q(z|x), in which the terms ½ log 2π cancel.
        ratio = 0.5 * (((z - mean) / deviation).square() - z.square()) + torch.log(deviation)
        log_weights = precise(ratio).sum(2) - nll
        if self.doubly and z.requires_grad:
            shares = log_weights.detach().softmax(0)[:, :, None]
            # z gets the gradient of each weight times its share; multiplying by the share again squares it.
            z.register_hook(lambda gradient: gradient * shares.to(gradient))
        return log_weights


@register("objective")
@dataclass
class ImportanceWeighted(Part):
    """-log (1/k) Σᵢ p(x|zᵢ)p(zᵢ)/q(zᵢ|x), zᵢ ~ q(z|x): a bound on -log p(x), tighter the larger k (Burda et al. 2016).

    Parameters
    ----------
    samples : int
        k, at least 1; with 1 it is the evidence lower bound.
    estimator : {"dreg", "iwae"}
        Estimator of the encoder's gradient: doubly reparameterised (Tucker et al. 2019), whose signal does not fade as
        k grows, or that of the bound itself.

    Raises
    ------
    ValueError
        In `fit`, if the code has no posterior, or beside the penalty `KL`, which the bound contains already.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> iwae = AutoEncoder(latent=8, code="gaussian", objective=ImportanceWeighted(samples=10))
    """

    samples: int = 5
    estimator: str = "dreg"

    def build(self, features: int, latent: int) -> ImportanceBound:
        """Return the module from (step, network) to {"bound": (B,)}."""
        refuse_unknown("estimator of ImportanceWeighted", self.estimator, ("dreg", "iwae"))
        return ImportanceBound(whole_number("samples of ImportanceWeighted", self.samples, 1), self.estimator)
