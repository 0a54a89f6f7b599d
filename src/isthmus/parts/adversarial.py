"""`Adversarial`: a discriminator tells codes from draws of the prior, and the encoder makes that hard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.func import functional_call
from torch.nn import functional

from isthmus.core.checks import no_negative_number, whole_number
from isthmus.core.contract import Part, PenaltyModule, Prior, Step
from isthmus.core.divergences import precise, squared_mmd
from isthmus.core.initialisation import orthogonal
from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.parts.priors import drawn_beside, prior_of


class Discriminator(PenaltyModule):
    """The losses of the discriminator and of the encoder; see `Adversarial`."""

    prior: Prior

    def __init__(self, latent: int, weight: float, prior: Prior, hidden: Sequence[int], r1: float) -> None:
        super().__init__()
        self.weight = weight
        self.prior = prior
        self.r1 = r1
        self.stack = Stack((latent, *hidden, 1), "silu")

    def initialise(self, generator: Generator) -> None:
        """Write the first weights."""
        orthogonal(self.stack, generator)

    def logits(self, z: Tensor, *, learn: bool) -> Tensor:
        """How sure the discriminator is that codes (B, K) are the prior's, (B,); if it learns, with its gradients."""
        if learn:
            return self.stack(z).squeeze(1)
        frozen = {name: parameter.detach() for name, parameter in self.stack.named_parameters()}
        return functional_call(self.stack, frozen, (z,)).squeeze(1)

    def forward(self, step: Step, network: Network) -> dict[str, Tensor]:
        """{name: (B,)}; where rows are judged, how far the codes are from the prior instead of a game's score."""
        z = precise(step.code.z)
        drawn = drawn_beside(z, self.prior, self)
        if not self.training:
            return {"adversarial": self.weight * squared_mmd("imq", z, drawn, step.weight).expand(len(z))}
        drawn = drawn.requires_grad_()
        real, made = self.logits(drawn, learn=True), self.logits(z.detach(), learn=True)
        # R1: a discriminator that is flat on the prior (Mescheder, Geiger and Nowozin 2018, equation 9).
        (slope,) = torch.autograd.grad(real.sum(), drawn, create_graph=True)
        game = functional.softplus(-real) + functional.softplus(made) + 0.5 * self.r1 * slope.square().sum(1)
        fooled = functional.softplus(-self.logits(z, learn=False))
        return {"discriminator": game, "adversarial": self.weight * fooled}


@dataclass
class Adversarial(Part):
    """λ·softplus(-D(z)), with a discriminator D that learns beside (adversarial autoencoder, Makhzani et al. 2015).

    D is a network K-64-64-1 with the loss softplus(-D(z_prior)) + softplus(D(z)) + (γ/2)‖∇D(z_prior)‖²; the encoder's
    loss reaches the encoder alone. How well a game goes says little of the model, so rows that judge it are given the
    unbiased squared MMD between codes and prior, times λ, in its place.

    Parameters
    ----------
    weight : float, optional
        λ, in nats; None takes an eighth of the number of columns, over which the log-likelihood is a sum.
    prior : str or callable
        "gaussian"; "mixture": ten Gaussians around a circle; or a sampler (count, latent, generator) to codes
        (count, latent).
    r1 : float
        γ.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> adversarial = AutoEncoder(latent=2, penalty=Adversarial(prior="mixture"))
    """

    weight: float | None = None
    prior: Any = "gaussian"
    hidden: Any = (64, 64)
    r1: float = 0.1

    def build(self, features: int, latent: int) -> Discriminator:
        """Return the module that maps (step, network) to {name: (B,)}."""
        return Discriminator(
            latent,
            features / 8 if self.weight is None else no_negative_number("weight of Adversarial", self.weight),
            prior_of("prior of Adversarial", self.prior, latent),
            self.widths(),
            no_negative_number("r1 of Adversarial", self.r1),
        )

    def widths(self) -> tuple[int, ...]:
        """Return the units of each hidden layer, checked."""
        try:
            return tuple(whole_number("hidden", width, 1) for width in self.hidden)
        except (TypeError, ValueError):
            raise ValueError(
                f"hidden of Adversarial has to be whole numbers of at least 1, a width a layer; got {self.hidden!r}"
            ) from None
