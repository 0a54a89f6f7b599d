"""`ContinuousBernoulli`: a density for values between 0 and 1."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.distributions import ContinuousBernoulli as Distribution

from isthmus.core.contract import Part
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.modules import inverse
from isthmus.core.registry import register

LARGEST = 30.0
"""Logits are clamped to ± this, where a sigmoid is 0 or 1 in every digit of float32."""


class ContinuousBernoulliLikelihood(LikelihoodModule):
    """p(x|z) = C(λ) λˣ (1 - λ)¹⁻ˣ on [0, 1], λ = σ(θ); see `ContinuousBernoulli`."""

    support = (0.0, 1.0)
    density = True

    def __init__(self, features: int) -> None:
        super().__init__()
        self.outputs = features

    def mean(self, theta: Tensor) -> Tensor:
        """Return the means 1/2 + coth(θ/2)/2 - 1/θ, (B, F), from logits θ (B, F)."""
        theta = theta.clamp(-LARGEST, LARGEST)
        small = theta.abs() < SMALL
        safe = torch.where(small, 1.0, theta)
        return torch.where(small, 0.5 + theta / 12 - theta**3 / 720, 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats: log((eᶿ - 1)/θ) - xθ."""
        theta = theta.clamp(-LARGEST, LARGEST)
        return log_normaliser(theta) - x * theta

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return -log p(x|z) less its value at the logits whose mean is x, (B, F)."""
        return (self.columns(x, theta) - self.columns(x, self.start_bias(x, x))).clamp_min(0)

    def variances(self, theta: Tensor) -> Tensor:
        """Return 1/θ² - 1/(4 sinh²(θ/2)) of each cell, (B, F)."""
        theta = theta.clamp(-LARGEST, LARGEST)
        small = theta.abs() < SMALL
        safe = torch.where(small, 1.0, theta)
        series = 1 / 12 - theta**2 / 240 + theta**4 / 6048
        return torch.where(small, series, 1 / safe**2 - 0.25 / torch.sinh(safe / 2) ** 2)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F) by the inverse of the distribution function."""
        uniform = torch.empty_like(theta).uniform_(generator=generator)
        return Distribution(logits=theta.clamp(-LARGEST, LARGEST)).icdf(uniform)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the logits with the given means, of any shape, by Newton's method."""
        theta = 6 * inverse("sigmoid", mean) / 4
        mean = mean.clamp(0.01, 0.99)
        for _ in range(50):
            with torch.enable_grad():
                point = theta.detach().requires_grad_()
                value = self.mean(point)
                (derivative,) = torch.autograd.grad(value.sum(), point)
            theta = (theta - ((value.detach() - mean) / derivative).clamp(-2, 2)).clamp(-LARGEST, LARGEST)
        return theta


SMALL = 0.3
"""For smaller logits, series replace differences of nearly equal numbers."""


def log_normaliser(theta: Tensor) -> Tensor:
    """Return log((eᶿ - 1)/θ) = log ∫₀¹ eᶿˣ dx, stable near 0 and far from it."""
    small = theta.abs() < SMALL
    safe = torch.where(small, 1.0, theta.abs())
    # = θ/2 + log(sinh(θ/2)/(θ/2)), whose second term is even.
    even = safe / 2 + torch.log1p(-torch.exp(-safe)) - torch.log(safe)
    series = theta**2 / 24 - theta**4 / 2880 + theta**6 / 181440
    return theta / 2 + torch.where(small, series, even)


@register("likelihood")
@dataclass
class ContinuousBernoulli(Part):
    """Values in [0, 1] as a density: p(x) = C(λ) λˣ (1 - λ)¹⁻ˣ (Loaiza-Ganem and Cunningham 2019).

    It is the binary cross-entropy with the constant that makes it a log-density, so that likelihoods of grey levels can
    be compared. The mean is not λ: near ½ it moves a third as fast.

    Examples
    --------
    >>> import torch
    >>> likelihood = ContinuousBernoulli().build(features=1)
    >>> float(likelihood.nll(torch.tensor([[0.3]]), torch.zeros(1, 1)))  # uniform at λ = ½
    0.0
    """

    def build(self, features: int) -> ContinuousBernoulliLikelihood:
        """Return the module for rows of `features` numbers in [0, 1]."""
        return ContinuousBernoulliLikelihood(features)
