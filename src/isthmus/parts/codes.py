"""Codes: how the bottleneck turns the encoder's output into a code."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from isthmus.core import modules
from isthmus.core.contract import Code, CodeModule, Part
from isthmus.core.registry import register


class DeterministicCode(CodeModule):
    """z = a(h); see `Deterministic`."""

    def __init__(self, latent: int, activation: str) -> None:
        super().__init__(latent)
        self.activation: str = activation
        self.function = modules.activation(activation).function

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return the code without noise of the encoder's output (B, K)."""
        z = self.function(h)
        return Code(z=z, mean=z)


@register("code")
@dataclass
class Deterministic(Part):
    """The plain code z = a(h), with an activation a (none by default; the paper "AutoEncoders" uses the sigmoid).

    Parameters
    ----------
    activation : str
        "identity", "relu", "silu", "gelu", "softplus", "elu", "tanh" or "sigmoid".

    Raises
    ------
    ValueError
        In `fit`, if the activation is unknown.

    References
    ----------
    Dieye, Negho and Djaha, "AutoEncoders", 2023.

    Examples
    --------
    >>> import torch
    >>> code = Deterministic("sigmoid").build(latent=2)(torch.zeros(1, 2))
    >>> code.mean.tolist(), code.posterior
    ([[0.5, 0.5]], None)
    """

    activation: str = "identity"

    def build(self, latent: int) -> DeterministicCode:
        """Return the module from (B, latent) to a `Code`."""
        return DeterministicCode(latent, self.activation)


class SampledCode(CodeModule):
    """z = μ + σε; see `GaussianCode`."""

    activation = "identity"
    has_posterior = True
    LARGEST = 10.0
    """The logarithm of the variance is clamped to ± this; beyond it the exponential over- or underflows in practice."""

    def __init__(self, latent: int) -> None:
        super().__init__(latent, 2 * latent)

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a draw from N(μ, σ²), or μ if nothing is drawn, for means and log-variances (B, 2K)."""
        mean, log_variance = h.split(self.latent, dim=1)
        deviation = torch.exp(0.5 * log_variance.clamp(-self.LARGEST, self.LARGEST))
        posterior = Normal(mean, deviation, validate_args=False)
        if not self.draws:
            return Code(z=mean, mean=mean, posterior=posterior)
        return Code(mean + deviation * torch.empty_like(mean).normal_(generator=self.generator), mean, posterior)

    def rest_bias(self, noise_share: Tensor) -> Tensor:
        """Return the posterior log-variances (K,) of probabilistic PCA (Tipping and Bishop 1999): noise over data."""
        return noise_share.log().clamp(-6, 0)


@register("code", name="gaussian")
@dataclass
class GaussianCode(Part):
    """The stochastic code z ~ q(z|x) = N(μ(x), σ²(x)), drawn as μ + σε with ε ~ N(0, I) (Kingma and Welling 2014).

    The encoder gives 2K numbers: μ and log σ². Outside training the code is μ. Something must keep σ from vanishing:
    with the penalty `KL` the network is a variational autoencoder.

    Examples
    --------
    >>> import torch
    >>> code = GaussianCode().build(latent=2)(torch.tensor([[1.0, 2.0, 0.0, 0.0]]))
    >>> code.posterior.mean.tolist(), code.posterior.stddev.tolist()
    ([[1.0, 2.0]], [[1.0, 1.0]])
    """

    def build(self, latent: int) -> SampledCode:
        """Return the module from (B, 2·latent) to a `Code`."""
        return SampledCode(latent)
