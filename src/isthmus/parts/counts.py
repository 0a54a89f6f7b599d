"""Likelihoods of counts: `Poisson`, `NegativeBinomial`, `Multinomial`."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import gammaln, psi, xlogy
from torch import Generator, Tensor
from torch.nn import functional

from isthmus.core.contract import Part
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.registry import register

LARGEST = 20.0
"""Logarithms of rates are clamped to ± this: e²⁰ is half a billion."""
LARGEST_LOG_SHAPE = 8.0
"""Logarithms of a negative binomial's r are clamped to ± this: at r = 3,000 it is a Poisson for all purposes."""
LEAST_RATE = 1e-2
"""Rate at which a column of zeros starts."""
FEW = 1 / 8
"""Greatest share of cells for which picking them out costs less than computing all of them."""


def log_factorial(x: Tensor) -> Tensor:
    """Return log x! of counts, elementwise; on a CPU it is computed only where it is not 0, if those cells are few."""
    if x.device.type != "cpu":
        return torch.lgamma(x + 1)
    other = (x != 0) & (x != 1)
    if int(other.sum()) > FEW * x.numel():
        return torch.lgamma(x + 1)
    return torch.zeros_like(x).masked_scatter_(other, torch.lgamma(x[other] + 1))


def kept_within(x: Tensor, bound: float) -> Tensor:
    """Clamp numbers to ± bound, with the gradient of the bound beyond it: what is too large can still come back."""
    return x.clamp(-bound, bound).detach() + (x - x.detach())


class CountLikelihood(LikelihoodModule):
    """The base of likelihoods of independent counts, whose first F outputs are the logarithms of the means."""

    support = (0.0, float("inf"))
    whole = True

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.outputs = outputs

    def encoder_input(self, x: Tensor) -> Tensor:
        """Return log(1 + x), (B, F)."""
        return torch.log1p(x)

    def log_rate(self, theta: Tensor) -> Tensor:
        """Return the logarithm of the mean, (B, F), from the outputs (B, P)."""
        return kept_within(theta[:, : self.features], LARGEST)

    def mean(self, theta: Tensor) -> Tensor:
        """Return the mean (B, F) from the outputs (B, P)."""
        return torch.exp(self.log_rate(theta))


class PoissonLikelihood(CountLikelihood):
    """p(x|z) = λˣ e^{-λ} / x!, λ = eᶿ; see `Poisson`."""

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats."""
        log_rate = self.log_rate(theta)
        return torch.exp(log_rate) - x * log_rate + log_factorial(x)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return λ - x + x log(x/λ), (B, F)."""
        log_rate = self.log_rate(theta)
        return (torch.exp(log_rate) - x + torch.xlogy(x, x) - x * log_rate).clamp_min(0)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write the half deviance of each cell, and w(λ - x)."""
        log_rate = np.minimum(np.maximum(theta, -LARGEST), LARGEST)
        surplus = np.exp(log_rate) - x
        np.multiply(surplus, weight, out=gradient)
        surplus += xlogy(x, x)
        np.maximum(surplus - x * log_rate, 0, out=losses)

    def variances(self, theta: Tensor) -> Tensor:
        """Return λ of each cell, (B, F)."""
        return self.mean(theta)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw counts (B, F)."""
        return torch.poisson(self.mean(theta), generator=generator)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the means."""
        return mean.clamp_min(LEAST_RATE).log()


@register("likelihood", column="count")
@dataclass
class Poisson(Part):
    """Counts: p(x|z) = λˣ e^{-λ} / x! with λ = eᶿ for each column; the encoder sees log(1 + x).

    Values must be whole numbers of at least 0, unscaled (``scale="none"``, which "auto" takes).

    Examples
    --------
    >>> import torch
    >>> likelihood = Poisson().build(features=1)
    >>> float(likelihood.nll(torch.zeros(1, 1), torch.zeros(1, 1)))  # λ = 1
    1.0
    """

    def build(self, features: int) -> PoissonLikelihood:
        """Return the module for rows of `features` numbers."""
        return PoissonLikelihood(features, features)


class NegativeBinomialLikelihood(CountLikelihood):
    """Counts of a Poisson rate that varies by a gamma distribution; see `NegativeBinomial`."""

    def log_shape(self, theta: Tensor) -> Tensor:
        """Return log r, (B, F), from the outputs (B, P)."""
        return kept_within(theta[:, self.features :], LARGEST_LOG_SHAPE)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats."""
        log_mean, log_shape = self.log_rate(theta), self.log_shape(theta)
        shape = torch.exp(log_shape)
        total = torch.logaddexp(log_mean, log_shape)
        coefficient = torch.lgamma(x + shape) - torch.lgamma(shape) - log_factorial(x)
        return -(coefficient + shape * (log_shape - total) + x * (log_mean - total))

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return x log(x/μ) - (x + r) log((x + r)/(μ + r)), (B, F), at the present r."""
        log_mean, log_shape = self.log_rate(theta), self.log_shape(theta)
        shape = torch.exp(log_shape)
        total = torch.logaddexp(log_mean, log_shape)
        gain = torch.xlogy(x, x) - x * log_mean
        return (gain - (x + shape) * (torch.log(x + shape) - total)).clamp_min(0)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return -log p(x|z) less its least value over all μ and r, (B, F), which is a Poisson's at λ = x.

        The half deviance at a fixed r falls as r falls to 0, so it cannot teach r.
        """
        return self.columns(x, theta) - (x - torch.xlogy(x, x) + log_factorial(x))

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write `deviance_loss` of each cell, and the gradient of its weighted sum.

        With p = μ/(μ + r), the derivatives are (x + r)p - x in log μ, and x - (x + r)p plus
        r(log(1 + μ/r) - ψ(x + r) + ψ(r)) in log r.
        """
        count = self.features
        clamped = np.empty_like(theta)
        for part, bound in ((slice(count), LARGEST), (slice(count, None), LARGEST_LOG_SHAPE)):
            np.minimum(np.maximum(theta[part], -bound), bound, out=clamped[part])
        pair = np.exp(clamped)
        both, shape = pair[:count], pair[count:]
        np.add(x, shape, out=both)
        odds = clamped[:count] - clamped[count:]
        rest = np.logaddexp(0, odds)
        log_gamma, digamma = gammaln(pair), psi(pair)
        in_mean, in_shape = gradient[:count], gradient[count:]
        np.exp(odds - rest, out=in_mean)
        in_mean *= both
        in_mean -= x
        np.subtract(digamma[count:], digamma[:count], out=in_shape)
        in_shape += rest
        in_shape *= shape
        in_shape -= in_mean
        in_mean *= weight
        in_shape *= weight
        np.subtract(log_gamma[count:], log_gamma[:count], out=losses)
        losses += both * rest
        losses -= (odds + 1) * x
        losses += xlogy(x, x)

    def variances(self, theta: Tensor) -> Tensor:
        """Return μ + μ²/r of each cell, (B, F)."""
        mean = self.mean(theta)
        return mean + mean.square() / torch.exp(self.log_shape(theta))

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw counts (B, F): a gamma rate, then a Poisson count."""
        shape = torch.exp(self.log_shape(theta))
        rate = torch._standard_gamma(shape, generator=generator) * self.mean(theta) / shape
        return torch.poisson(rate, generator=generator)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (2F,) outputs with the given means (F,) and variances (F,), if these exceed the means."""
        mean = mean.clamp_min(LEAST_RATE)
        shape = mean.square() / (variance - mean).clamp_min(1e-3 * mean)
        return torch.cat([mean.log(), shape.clamp(1e-2, 1e3).log()])


@register("likelihood", column="count")
@dataclass
class NegativeBinomial(Part):
    """Counts with more spread than a Poisson's: mean μ = eᶿ, variance μ + μ²/r, both from the decoder; P = 2F.

    p(x|z) = Γ(x + r)/(Γ(r) x!) · (r/(r + μ))ʳ (μ/(r + μ))ˣ; the encoder sees log(1 + x).

    Examples
    --------
    >>> import torch
    >>> likelihood = NegativeBinomial().build(features=1)
    >>> round(float(likelihood.nll(torch.zeros(1, 1), torch.zeros(1, 2))), 4)  # μ = r = 1: p(0) = ½
    0.6931
    """

    def build(self, features: int) -> NegativeBinomialLikelihood:
        """Return the module for rows of `features` numbers."""
        return NegativeBinomialLikelihood(features, 2 * features)


class MultinomialLikelihood(LikelihoodModule):
    """n! Π pⱼ^xⱼ / xⱼ!, p = softmax(θ), n = Σ xⱼ; see `Multinomial`."""

    support = (0.0, float("inf"))
    whole = True

    def __init__(self, features: int) -> None:
        super().__init__()
        self.outputs = features

    def mean(self, theta: Tensor) -> Tensor:
        """Return shares (B, F) that sum to 1 from logits (B, F)."""
        return theta.softmax(1)

    def reconstruct(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the total of each row x times its shares, (B, F): the counts that are expected."""
        return x.sum(1, keepdim=True) * self.mean(theta)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z), (B, F); what belongs to the whole row is split in proportion to the counts."""
        total = x.sum(1, keepdim=True)
        coefficient = torch.lgamma(total + 1) / total.clamp_min(1)
        return log_factorial(x) - x * (theta.log_softmax(1) + coefficient)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return x log(x/np) - x + np, (B, F), with n the sum of the row; 0 where the shares of x are p."""
        total = x.sum(1, keepdim=True)
        log_shares = theta.log_softmax(1)
        gain = torch.xlogy(x, x) - torch.xlogy(x, total) - x * log_shares
        return (gain - x + total * torch.exp(log_shares)).clamp_min(0)

    def cell_of_output(self, features: int) -> None:
        """Return None: every output takes part in the shares of all cells."""

    def variances(self, theta: Tensor) -> Tensor:
        """Return p(1 - p) of each cell, (B, F): the variance of one draw."""
        shares = self.mean(theta)
        return shares * (1 - shares)

    def encoder_input(self, x: Tensor) -> Tensor:
        """Return x/‖x‖, (B, F), as in Mult-VAE (Liang et al. 2018); rows of zeros stay 0."""
        return functional.normalize(x, dim=1)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw one count per row, (B, F)."""
        drawn = torch.multinomial(theta.softmax(1), 1, generator=generator)
        return torch.zeros_like(theta).scatter(1, drawn, 1.0)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logarithms of the means."""
        return (mean + 1e-3 * mean.mean()).clamp_min(1e-12).log()


@register("likelihood")
@dataclass
class Multinomial(Part):
    """Counts that share a total: n! Π pⱼ^xⱼ / xⱼ! with p = softmax(θ): words, items bought (Liang et al. 2018).

    The total n is given, not modelled. `reconstruct` therefore returns the row's own total times the shares, n·p. Where
    there is no row, n is 1: `inverse_transform` returns the shares p, and `sample` draws one count per row.

    Examples
    --------
    >>> import torch
    >>> likelihood = Multinomial().build(features=2)
    >>> round(float(likelihood.nll(torch.tensor([[1.0, 1.0]]), torch.zeros(1, 2))), 4)  # 2 · ¼
    0.6931
    """

    def build(self, features: int) -> MultinomialLikelihood:
        """Return the module for rows of `features` numbers."""
        return MultinomialLikelihood(features)
