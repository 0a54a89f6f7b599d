"""Codes: what the narrow place makes of the encoder's output."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from isthmus.core import modules
from isthmus.core.contract import Code, CodeModule, Part


class DeterministicCode(CodeModule):
    """z = a(h)."""

    activation: str

    def __init__(self, latent: int, activation: str) -> None:
        super().__init__(latent)
        self.activation = activation
        self.function = modules.activation(activation).function

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """(B, K) to a code without noise."""
        z = self.function(h)
        return Code(z=z, mean=z)


@dataclass
class Deterministic(Part):
    """The plain code z = a(h), with an activation a (none by default; the paper "AutoEncoders" takes the sigmoid).

    Parameters
    ----------
    activation : str
        "identity", "relu", "silu", "gelu", "softplus", "elu", "tanh" or "sigmoid".

    Examples
    --------
    >>> import torch
    >>> code = Deterministic("sigmoid").build(latent=2)(torch.zeros(1, 2))
    >>> code.mean.tolist(), code.posterior
    ([[0.5, 0.5]], None)
    """

    activation: str = "identity"

    def build(self, latent: int) -> DeterministicCode:
        """Return the module (B, latent) to `Code`."""
        return DeterministicCode(latent, self.activation)


class SampledCode(CodeModule):
    """z = μ + σε; see `GaussianCode`."""

    has_posterior = True
    LARGEST = 10.0
    """The logarithm of the variance is kept within ± this: beyond, its exponential is no use to anybody."""

    def __init__(self, latent: int) -> None:
        super().__init__(latent, 2 * latent)

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """(B, 2K), means and log-variances, to a draw from N(μ, σ²); its mean where nothing is drawn."""
        mean, log_variance = h.split(self.latent, dim=1)
        deviation = torch.exp(0.5 * log_variance.clamp(-self.LARGEST, self.LARGEST))
        posterior = Normal(mean, deviation, validate_args=False)
        if not self.draws:
            return Code(z=mean, mean=mean, posterior=posterior)
        return Code(mean + deviation * torch.empty_like(mean).normal_(generator=self.generator), mean, posterior)

    def rest_bias(self, noise_share: Tensor) -> Tensor:
        """Return the log-variances (K,) of probabilistic PCA's posterior: noise over data (Tipping and Bishop 1999)."""
        return noise_share.log().clamp(-6, 0)


@dataclass
class GaussianCode(Part):
    """The stochastic code z ~ q(z|x) = N(μ(x), σ²(x)), drawn as μ + σε with ε ~ N(0, I) (Kingma and Welling 2014).

    The encoder gives 2K numbers: μ and log σ². Out of training the code is μ. Something has to keep σ from vanishing:
    the penalty `KL` makes it a variational autoencoder.

    Examples
    --------
    >>> import torch
    >>> code = GaussianCode().build(latent=2)(torch.tensor([[1.0, 2.0, 0.0, 0.0]]))
    >>> code.posterior.mean.tolist(), code.posterior.stddev.tolist()
    ([[1.0, 2.0]], [[1.0, 1.0]])
    """

    def build(self, latent: int) -> SampledCode:
        """Return the module (B, 2·latent) to `Code`."""
        return SampledCode(latent)
