"""Priors p(z), from which new codes can be drawn, and the penalty `KL` that draws each row's posterior to one."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from isthmus.core.checks import fraction, no_negative_number, positive_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, PenaltyModule, Prior, Step, Stochastic, batch_mean
from isthmus.core.divergences import from_standard_normal
from isthmus.core.network import Network


class StandardNormal:
    """p(z) = N(0, I)."""

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent), of the number type and on the device of `like`."""
        return like.new_empty(count, latent).normal_(generator=generator)


class RingOfNormals:
    """Normal distributions around a circle; see `MixturePrior`."""

    def __init__(self, components: int, radius: float, spread: float) -> None:
        self.components = components
        self.radius = radius
        self.spread = spread

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent), of the number type and on the device of `like`."""
        z = like.new_empty(count, latent).normal_(generator=generator)
        which = torch.randint(self.components, (count,), generator=generator, device=like.device)
        angle = which.to(z) * (2 * math.pi / self.components)
        centre = self.radius * torch.stack([angle.cos(), angle.sin()], dim=1)
        return torch.cat([centre + self.spread * z[:, :2], z[:, 2:]], dim=1)


@dataclass
class MixturePrior(Part):
    """p(z) = (1/M) Σₘ N((z₁, z₂); r(cos 2πm/M, sin 2πm/M), s²I) · N(z₃, ...; 0, I): M clusters around a circle.

    As the adversarial autoencoder was shown with (Makhzani et al. 2015). With the radius and spread given here every
    coordinate has about mean 0 and variance 1, and neighbours of ten are four spreads apart.

    Parameters
    ----------
    components : int
        M.
    radius : float
        r.
    spread : float
        s.

    Examples
    --------
    >>> from isthmus import MMD, AutoEncoder
    >>> clusters = AutoEncoder(latent=2, penalty=MMD(prior=MixturePrior(components=5)))
    """

    components: int = 10
    radius: float = 1.4
    spread: float = 0.2

    def build(self, latent: int) -> RingOfNormals:
        """Return the distribution of codes of that size."""
        if latent < 2:
            raise ValueError(
                f"the prior MixturePrior needs codes of at least 2 numbers, for a circle; got latent={latent}"
            )
        return RingOfNormals(
            whole_number("components of MixturePrior", self.components, 1),
            no_negative_number("radius of MixturePrior", self.radius),
            positive_number("spread of MixturePrior", self.spread),
        )


class GivenSampler:
    """A function of the user's that draws codes."""

    def __init__(self, sampler: Callable[..., Any]) -> None:
        self.sampler = sampler

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent), of the number type and on the device of `like`."""
        drawn = self.sampler(count, latent, generator)
        came = tuple(drawn.shape) if hasattr(drawn, "shape") else drawn
        if came != (count, latent):
            raise ValueError(
                f"the prior's sampler was asked for a tensor or array of the shape {(count, latent)}; got {came!r}"
            )
        return torch.as_tensor(drawn).detach().to(like)


PRIORS: dict[str, Callable[[int], Prior]] = {
    "gaussian": lambda latent: StandardNormal(),
    "mixture": lambda latent: MixturePrior().build(latent),
}


def prior_of(name: str, given: Any, latent: int) -> Prior:
    """Return the distribution that a user means: by name, by a part, by a sampler, or itself."""
    if isinstance(given, str):
        refuse_unknown(name, given, PRIORS)
        return PRIORS[given](latent)
    if isinstance(given, MixturePrior):
        return given.build(latent)
    if hasattr(given, "sample"):
        return given
    if callable(given):
        return GivenSampler(given)
    raise ValueError(
        f"{name} has to be 'gaussian', 'mixture', a MixturePrior or a sampler (count, latent, generator) to codes "
        f"(count, latent); got {given!r}"
    )


def source(module: Stochastic, like: Tensor) -> Generator | None:
    """Return where a penalty draws from: its generator; in use, without one, always the same numbers."""
    if module.training or module.generator is not None:
        return module.generator
    return Generator(like.device).manual_seed(0)


def drawn_beside(z: Tensor, prior: Prior, module: Stochastic) -> Tensor:
    """Draw as many codes of the prior as there are rows in z (B, K), (B, K)."""
    return prior.sample(len(z), z.shape[1], source(module, z), z).detach()


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
        self.progress, self.warm_up_share = 1.0, warm_up

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
