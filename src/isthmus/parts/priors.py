"""Priors p(z), from which new codes can be drawn, and the penalty `KL`, which pulls each row's posterior to one."""

import math
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.checks import fraction, no_negative_number, positive_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part, Prior, Step, Stochastic, batch_mean
from isthmus.core.divergences import from_standard_normal
from isthmus.core.network import Network, PenaltyModule
from isthmus.core.registry import parts, register


class PriorPart(Protocol):
    """A part for the slot "prior"."""

    def build(self, latent: int) -> Prior:
        """Return the distribution of codes of `latent` numbers."""
        ...


class Sampler(Protocol):
    """A function of the user's that draws codes (count, latent), as a tensor or an array."""

    def __call__(self, count: int, latent: int, generator: Generator | None) -> Tensor | np.ndarray:
        """Draw the codes."""
        ...


@register("prior", name="gaussian")
@dataclass
class StandardNormal(Part):
    """p(z) = N(0, I), the usual prior.

    Examples
    --------
    >>> import torch
    >>> StandardNormal().sample(3, 2, torch.Generator().manual_seed(0), torch.zeros(1)).shape
    torch.Size([3, 2])
    """

    def build(self, latent: int) -> "StandardNormal":
        """Return the distribution itself, which suits codes of any size."""
        return self

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent) with the number type of `like`, on its device."""
        return like.new_empty(count, latent).normal_(generator=generator)


class RingOfNormals:
    """Normal distributions on a circle; see `MixturePrior`."""

    def __init__(self, components: int, radius: float, spread: float) -> None:
        self.components = components
        self.radius = radius
        self.spread = spread

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent) with the number type of `like`, on its device."""
        z = like.new_empty(count, latent).normal_(generator=generator)
        which = torch.randint(self.components, (count,), generator=generator, device=like.device)
        angle = which.to(z) * (2 * math.pi / self.components)
        centre = self.radius * torch.stack([angle.cos(), angle.sin()], dim=1)
        return torch.cat([centre + self.spread * z[:, :2], z[:, 2:]], dim=1)


@register("prior", name="mixture")
@dataclass
class MixturePrior(Part):
    """p(z) = (1/M) Σₘ N((z₁, z₂); r(cos 2πm/M, sin 2πm/M), s²I) · N(z₃, ...; 0, I): M clusters on a circle.

    The adversarial autoencoder was introduced with a prior like it (Makhzani et al. 2015). With the default radius and
    spread every coordinate has mean 0 and variance about 1, and neighbours of ten clusters are four spreads apart.

    Parameters
    ----------
    components : int
        M, at least 1.
    radius : float
        r, at least 0, in units of the code.
    spread : float
        s, above 0, in units of the code.

    Raises
    ------
    ValueError
        In `fit`, if the code has fewer than two numbers, or if a parameter is out of its range.

    Examples
    --------
    >>> from isthmus import MMD, AutoEncoder
    >>> clusters = AutoEncoder(latent=2, penalty=MMD(prior=MixturePrior(components=5)))
    """

    components: int = 10
    radius: float = 1.4
    spread: float = 0.2

    def build(self, latent: int) -> RingOfNormals:
        """Return the distribution of codes of `latent` numbers."""
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

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent) with the number type of `like`, on its device."""
        drawn = torch.as_tensor(self.sampler(count, latent, generator))
        if drawn.shape != (count, latent):
            raise ValueError(
                f"the prior's sampler must return a tensor or array of the shape {(count, latent)}; it returned "
                f"{tuple(drawn.shape)}"
            )
        return drawn.detach().to(like)


def prior_of(name: str, given: "str | Part | Prior | Sampler", latent: int) -> Prior:
    """Return the distribution that a user means: by name, by a part, by a sampler, or the distribution itself.

    Parameters
    ----------
    name : str
        The parameter that it was given for, for messages.
    given
        The name of a registered prior, a part with `build(latent)`, an object with `sample`, or a function.
    latent : int
        K.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    known = parts("prior")
    if isinstance(given, str):
        refuse_unknown(name, given, known)
        given = known[given]()
    if isinstance(given, Part):
        return cast(PriorPart, given).build(latent)
    if isinstance(given, Prior):
        return given
    if callable(given):
        return GivenSampler(given)
    raise ValueError(
        f"{name} must be {', '.join(map(repr, known))}, a part such as MixturePrior, or a function (count, latent, "
        f"generator) that returns codes (count, latent); got {given!r}"
    )


def source(module: Stochastic, like: Tensor) -> Generator | None:
    """Return the generator that a penalty draws from; in use, without one, a new one with a fixed seed."""
    if module.training or module.generator is not None:
        return module.generator
    return Generator(like.device).manual_seed(0)


def drawn_beside(z: Tensor, prior: Prior, module: Stochastic) -> Tensor:
    """Draw as many codes from the prior as z (B, K) has rows, (B, K)."""
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
    in_bound = True

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
        """Take note of the share of the training that is done."""
        self.progress = progress

    @property
    def share(self) -> float:
        """The share of the warm-up that is done, in [0, 1]."""
        return min(1.0, self.progress / self.warm_up) if self.warm_up else 1.0

    def forward(self, step: Step, network: Network) -> Tensor:
        """Return the penalty of each row, (B,), in nats."""
        assert step.code.posterior is not None
        divergence = from_standard_normal(step.code.posterior)
        if self.free_bits:
            free = batch_mean(divergence, step.weight) <= self.free_bits
            divergence = torch.where(free, self.free_bits, divergence)
        rows = divergence.sum(1)
        if self.capacity is not None:
            # |mean KL - C| over the batch, once per row, with the gradient of ±KL.
            distance = batch_mean(rows, step.weight) - self.share * self.capacity
            return self.beta * distance.abs().expand(len(rows))
        return self.beta * self.share * rows


@register("penalty")
@dataclass
class KL(Part):
    """β·KL(q(z|x) ‖ N(0, I)): the variational autoencoder (Kingma and Welling 2014), β-VAE (Higgins et al. 2017).

    KL = Σⱼ ½(μⱼ² + σⱼ² - 1 - log σⱼ²), summed over the code, in nats per row like the reconstruction: with β = 1 the
    objective is minus the evidence lower bound, -ELBO(x) ≥ -log p(x).

    Parameters
    ----------
    beta : float
        β, at least 0; above 1 the codes carry less information and their coordinates are more independent.
    warm_up : float
        Share of the training, in [0, 1), over which β (or the capacity, if given) grows from 0 (Sønderby et al. 2016).
    free_bits : float
        λ, in nats per coordinate that cost nothing: Σⱼ max(λ, KLⱼ), where KLⱼ is the mean over the batch (Kingma et al.
        2016); at least 0. 0.1 to 0.5 prevents the collapse of the posterior.
    capacity : float, optional
        C, in nats, at least 0: the penalty is β·|mean KL - C| (Burgess et al. 2018), with β about 10 to 100.

    Raises
    ------
    ValueError
        In `fit`, if the code has no posterior, or if a parameter is out of its range.

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
        """Return the module from (step, network) to (B,)."""
        return Divergence(
            no_negative_number("beta of KL", self.beta),
            fraction("warm_up of KL", self.warm_up),
            no_negative_number("free_bits of KL", self.free_bits),
            None if self.capacity is None else no_negative_number("capacity of KL", self.capacity),
        )
