"""Penalties that draw the codes towards a prior p(z), from which new rows can then be drawn."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from isthmus.core.checks import fraction, no_negative_number
from isthmus.core.contract import Part, PenaltyModule, Step, batch_mean
from isthmus.core.divergences import from_standard_normal
from isthmus.core.network import Network


class StandardNormal:
    """p(z) = N(0, I)."""

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent), of the number type and on the device of `like`."""
        return like.new_empty(count, latent).normal_(generator=generator)


def needs_posterior(name: str, network: Network) -> None:
    """Raise a `ValueError` if the code has no posterior q(z|x)."""
    if not network.code.has_posterior:
        raise ValueError(
            f"{name} needs a code with a posterior q(z|x), and {network.code.made_by} has none: "
            "take code='gaussian' (GaussianCode)"
        )


class Divergence(PenaltyModule):
    """β·KL(q(z|x) ‖ N(0, I)); see `KL`."""

    prior = StandardNormal()

    def __init__(self, beta: float, warm_up: float, free_bits: float, capacity: float | None) -> None:
        super().__init__()
        self.beta = beta
        self.warm_up = warm_up
        self.free_bits = free_bits
        self.capacity = capacity
        self.progress = 1.0

    def check(self, network: Network) -> None:
        """Refuse a code without a posterior."""
        needs_posterior("the penalty KL", network)

    def begin(self, progress: float) -> None:
        """Take note of how much of the training is done."""
        self.progress = progress

    @property
    def share(self) -> float:
        """How much of the warm-up is done, in [0, 1]."""
        return min(1.0, self.progress / self.warm_up) if self.warm_up else 1.0

    def forward(self, step: Step, network: Network) -> Tensor:
        """(B,) in nats."""
        assert step.code.posterior is not None
        divergence = from_standard_normal(step.code.posterior)
        if self.free_bits:
            free = batch_mean(divergence, step.weight) <= self.free_bits
            divergence = torch.where(free, self.free_bits, divergence)
        rows = divergence.sum(1)
        if self.capacity is not None:
            # |mean KL - C| over the batch, once a row, with the gradient of ±KL.
            distance = batch_mean(rows, step.weight) - self.share * self.capacity
            return self.beta * distance.abs().expand(len(rows))
        return self.beta * self.share * rows


@dataclass
class KL(Part):
    """β·KL(q(z|x) ‖ N(0, I)): the variational autoencoder (Kingma and Welling 2014), β-VAE (Higgins et al. 2017).

    KL = Σⱼ ½(μⱼ² + σⱼ² - 1 - log σⱼ²), summed over the code, in nats a row like the reconstruction: with β = 1 the
    objective is minus the evidence lower bound, -ELBO(x) ≥ -log p(x).

    Parameters
    ----------
    beta : float
        β; above 1 asks for codes that carry less, and lie more independently.
    warm_up : float
        Share of the training, in [0, 1), over which β grows from 0 (Sønderby et al. 2016). With a capacity, over which
        that grows.
    free_bits : float
        Nats a coordinate that cost nothing: Σⱼ max(λ, KLⱼ), where KLⱼ is the batch's mean (Kingma et al. 2016).
        0.1 to 0.5 against a posterior that collapses.
    capacity : float, optional
        C in nats: the penalty is β·|mean KL - C| (Burgess et al. 2018), β about 10 to 100.

    Raises
    ------
    ValueError
        In `fit`, with a code that has no posterior.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> vae = AutoEncoder(latent=2, code="gaussian", penalty=KL(beta=4.0))
    """

    beta: float = 1.0
    warm_up: float = 0.0
    free_bits: float = 0.0
    capacity: float | None = None

    def build(self, features: int, latent: int) -> Divergence:
        """Return the module that maps (step, network) to (B,)."""
        return Divergence(
            no_negative_number("beta of KL", self.beta),
            fraction("warm_up of KL", self.warm_up),
            no_negative_number("free_bits of KL", self.free_bits),
            None if self.capacity is None else no_negative_number("capacity of KL", self.capacity),
        )
