"""`Adversarial`: a discriminator separates codes from draws of the prior, and the encoder learns to fool it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.func import functional_call
from torch.nn import functional

from isthmus.core.checks import no_negative_number, whole_number
from isthmus.core.contract import Part, Prior, Step
from isthmus.core.divergences import precise, squared_mmd
from isthmus.core.modules import Stack
from isthmus.core.network import Network, PenaltyModule
from isthmus.core.registry import register
from isthmus.parts.priors import Sampler, drawn_beside, prior_of


class Discriminator(PenaltyModule):
    """The losses of the discriminator and of the encoder; see `Adversarial`."""

    def __init__(self, latent: int, weight: float, prior: Prior, hidden: Sequence[int], r1: float) -> None:
        super().__init__()
        self.weight = weight
        self.prior: Prior = prior
        self.r1 = r1
        self.stack = Stack((latent, *hidden, 1), "silu")

    def initialise(self, generator: Generator) -> None:
        """Write the first weights of the discriminator."""
        self.stack.initialise("orthogonal", generator)

    def logits(self, z: Tensor, *, learn: bool) -> Tensor:
        """Return the log-odds that codes (B, K) come from the prior, (B,); `learn` lets gradients reach D."""
        if learn:
            return self.stack(z).squeeze(1)
        frozen = {name: parameter.detach() for name, parameter in self.stack.named_parameters()}
        return functional_call(self.stack, frozen, (z,)).squeeze(1)

    def forward(self, step: Step, network: Network) -> dict[str, Tensor]:
        """Return both losses, {name: (B,)}; in validation, the distance of the codes from the prior instead."""
        z = precise(step.code.z)
        drawn = drawn_beside(z, self.prior, self)
        if not self.training:
            return {"adversarial": self.weight * squared_mmd("imq", z, drawn, step.weight).expand(len(z))}
        drawn = drawn.requires_grad_()
        real, made = self.logits(drawn, learn=True), self.logits(z.detach(), learn=True)
        # R1: a discriminator that is flat on the prior (Mescheder, Geiger and Nowozin 2018, equation 9).
        (gradient,) = torch.autograd.grad(real.sum(), drawn, create_graph=True)
        game = functional.softplus(-real) + functional.softplus(made) + 0.5 * self.r1 * gradient.square().sum(1)
        fooled = functional.softplus(-self.logits(z, learn=False))
        return {"discriminator": game, "adversarial": self.weight * fooled}


@register("penalty")
@dataclass
class Adversarial(Part):
    """λ·softplus(-D(z)), with a discriminator D that is trained alongside (Makhzani et al. 2015).

    D is a network K-64-64-1 with the loss softplus(-D(z_prior)) + softplus(D(z)) + (γ/2)‖∇D(z_prior)‖² (Mescheder et
    al. 2018); the encoder's loss reaches the encoder alone. The score of the game says little about the model, so
    validation uses the unbiased squared MMD between codes and prior, times λ, instead.

    Parameters
    ----------
    weight : float, optional
        λ, in nats, at least 0; None means an eighth of the number of columns, over which the log-likelihood is a sum.
    prior : str, part or callable
        "gaussian": N(0, I); "mixture": ten Gaussians on a circle (`MixturePrior`); or a function (count, latent,
        generator) that returns codes (count, latent).
    hidden : tuple of int
        Units of each hidden layer of the discriminator.
    r1 : float
        γ, at least 0.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> adversarial = AutoEncoder(latent=2, penalty=Adversarial(prior="mixture"))
    """

    weight: float | None = None
    prior: str | Part | Prior | Sampler = "gaussian"
    hidden: tuple[int, ...] = (64, 64)
    r1: float = 0.1

    def build(self, features: int, latent: int) -> Discriminator:
        """Return the module from (step, network) to {name: (B,)}."""
        return Discriminator(
            latent,
            features / 8 if self.weight is None else no_negative_number("weight of Adversarial", self.weight),
            prior_of("prior of Adversarial", self.prior, latent),
            self.widths(),
            no_negative_number("r1 of Adversarial", self.r1),
        )

    def widths(self) -> tuple[int, ...]:
        """Return the units of each hidden layer; a `ValueError` names what is wrong with them."""
        try:
            return tuple(whole_number("hidden", width, 1) for width in self.hidden)
        except (TypeError, ValueError):
            raise ValueError(
                f"hidden of Adversarial must be whole numbers of at least 1, one per layer; got {self.hidden!r}"
            ) from None
