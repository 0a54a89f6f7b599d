"""Likelihoods of counts: `Poisson`, `NegativeBinomial`, `Multinomial`."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from isthmus.core.contract import LikelihoodModule, Part

LARGEST = 20.0
"""Logarithms of rates are kept within ± this: e²⁰ is half a billion."""
LEAST_RATE = 1e-2
"""Where a column that was never counted starts."""


FEW = 1 / 8
"""Up to which share of the cells picking them out costs less than what is saved on the others."""


def log_factorial(x: Tensor) -> Tensor:
    """Return log x! of counts, elementwise; on a processor only of those it is not 0 for, where they are few."""
    if x.device.type != "cpu":
        return torch.lgamma(x + 1)
    other = (x != 0) & (x != 1)
    if int(other.sum()) > FEW * x.numel():
        return torch.lgamma(x + 1)
    return torch.zeros_like(x).masked_scatter_(other, torch.lgamma(x[other] + 1))


class CountLikelihood(LikelihoodModule):
    """What likelihoods of independent counts share."""

    support = (0.0, float("inf"))
    whole = True

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.outputs = outputs

    def encoder_input(self, x: Tensor) -> Tensor:
        """Log(1 + x)."""
        return torch.log1p(x)

    def log_rate(self, theta: Tensor) -> Tensor:
        """(B, P) to the logarithm of the mean, (B, F)."""
        return theta[:, : self.features].clamp(-LARGEST, LARGEST)

    def mean(self, theta: Tensor) -> Tensor:
        """(B, P) to the mean (B, F)."""
        return torch.exp(self.log_rate(theta))


class PoissonLikelihood(CountLikelihood):
    """p(x|z) = λˣ e^{-λ} / x!, λ = eᶿ; see `Poisson`."""

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus the log-probability of each cell, (B, F), in nats."""
        log_rate = self.log_rate(theta)
        return torch.exp(log_rate) - x * log_rate + log_factorial(x)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw counts (B, F)."""
        return torch.poisson(self.mean(theta), generator=generator)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the means."""
        return mean.clamp_min(LEAST_RATE).log()


@dataclass
class Poisson(Part):
    """Counts: p(x|z) = λˣ e^{-λ} / x! with λ = eᶿ for each column; the encoder sees log(1 + x).

    Values have to be whole numbers of at least 0, unscaled (``scale="none"``, which "auto" takes).

    Examples
    --------
    >>> import torch
    >>> likelihood = Poisson().build(features=1)
    >>> float(likelihood.nll(torch.zeros(1, 1), torch.zeros(1, 1)))  # λ = 1
    1.0
    """

    def build(self, features: int) -> PoissonLikelihood:
        """Return the module for rows of that many columns."""
        return PoissonLikelihood(features, features)


class NegativeBinomialLikelihood(CountLikelihood):
    """Counts of a Poisson rate that varies by a gamma distribution; see `NegativeBinomial`."""

    def log_shape(self, theta: Tensor) -> Tensor:
        """(B, P) to log r, (B, F)."""
        return theta[:, self.features :].clamp(-8, 8)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus the log-probability of each cell, (B, F), in nats."""
        log_mean, log_shape = self.log_rate(theta), self.log_shape(theta)
        shape = torch.exp(log_shape)
        total = torch.logaddexp(log_mean, log_shape)
        coefficient = torch.lgamma(x + shape) - torch.lgamma(shape) - log_factorial(x)
        return -(coefficient + shape * (log_shape - total) + x * (log_mean - total))

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw counts (B, F): a gamma rate, then a Poisson count."""
        shape = torch.exp(self.log_shape(theta))
        rate = torch._standard_gamma(shape, generator=generator) * self.mean(theta) / shape
        return torch.poisson(rate, generator=generator)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (2F,) outputs with the given means and, where they exceed the means, variances."""
        mean = mean.clamp_min(LEAST_RATE)
        shape = mean.square() / (variance - mean).clamp_min(1e-3 * mean)
        return torch.cat([mean.log(), shape.clamp(1e-2, 1e3).log()])


@dataclass
class NegativeBinomial(Part):
    """Counts that vary more than Poisson's: mean μ = eᶿ, variance μ + μ²/r, both from the decoder; P = 2F.

    p(x|z) = Γ(x + r)/(Γ(r) x!) · (r/(r + μ))ʳ (μ/(r + μ))ˣ; the encoder sees log(1 + x).

    Examples
    --------
    >>> import torch
    >>> likelihood = NegativeBinomial().build(features=1)
    >>> round(float(likelihood.nll(torch.zeros(1, 1), torch.zeros(1, 2))), 4)  # μ = r = 1: p(0) = ½
    0.6931
    """

    def build(self, features: int) -> NegativeBinomialLikelihood:
        """Return the module for rows of that many columns."""
        return NegativeBinomialLikelihood(features, 2 * features)


class MultinomialLikelihood(LikelihoodModule):
    """n! Π pⱼ^xⱼ / xⱼ!, p = softmax(θ), n = Σ xⱼ; see `Multinomial`."""

    support = (0.0, float("inf"))
    whole = True

    def __init__(self, features: int) -> None:
        super().__init__()
        self.outputs = features

    def mean(self, theta: Tensor) -> Tensor:
        """Logits (B, F) to shares (B, F) that add up to 1."""
        return theta.softmax(1)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus the log-probability, (B, F), its parts told to the cells in proportion to their counts."""
        total = x.sum(1, keepdim=True)
        coefficient = torch.lgamma(total + 1) / total.clamp_min(1)
        return log_factorial(x) - x * (theta.log_softmax(1) + coefficient)

    def encoder_input(self, x: Tensor) -> Tensor:
        """x/‖x‖, as in Mult-VAE; rows without counts stay 0."""
        return functional.normalize(x, dim=1)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw one count for each row, (B, F)."""
        drawn = torch.multinomial(theta.softmax(1), 1, generator=generator)
        return torch.zeros_like(theta).scatter(1, drawn, 1.0)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the means."""
        return (mean + 1e-3 * mean.mean()).clamp_min(1e-12).log()


@dataclass
class Multinomial(Part):
    """Counts that share a total: n! Π pⱼ^xⱼ / xⱼ! with p = softmax(θ): words, items bought (Liang et al. 2018).

    The total n is taken as given: the mean that `reconstruct` shows is the shares p, and a draw is one count.

    Examples
    --------
    >>> import torch
    >>> likelihood = Multinomial().build(features=2)
    >>> round(float(likelihood.nll(torch.tensor([[1.0, 1.0]]), torch.zeros(1, 2))), 4)  # 2 · ¼
    0.6931
    """

    def build(self, features: int) -> MultinomialLikelihood:
        """Return the module for rows of that many columns."""
        return MultinomialLikelihood(features)
