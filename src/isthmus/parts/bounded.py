"""`ContinuousBernoulli`: a density for values between 0 and 1."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.distributions import ContinuousBernoulli as Distribution

from isthmus.core.contract import LikelihoodModule, Part
from isthmus.core.modules import inverse

LARGEST = 30.0
"""Logits are kept within ± this; a sigmoid is 0 or 1 there to every digit of float32."""


class ContinuousBernoulliLikelihood(LikelihoodModule):
    """p(x|z) = C(λ) λˣ (1 - λ)¹⁻ˣ on [0, 1], λ = σ(θ); see `ContinuousBernoulli`."""

    support = (0.0, 1.0)
    density = True

    def __init__(self, features: int) -> None:
        super().__init__()
        self.outputs = features

    def mean(self, theta: Tensor) -> Tensor:
        """Logits (B, F) to means (B, F): 1/2 + coth(θ/2)/2 - 1/θ."""
        theta = theta.clamp(-LARGEST, LARGEST)
        small = theta.abs() < SMALL
        safe = torch.where(small, 1.0, theta)
        return torch.where(small, 0.5 + theta / 12 - theta**3 / 720, 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus the log-density of each cell, (B, F), in nats: log((eᶿ - 1)/θ) - xθ."""
        theta = theta.clamp(-LARGEST, LARGEST)
        return log_normaliser(theta) - x * theta

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F) by the inverse of the distribution function."""
        uniform = torch.empty_like(theta).uniform_(generator=generator)
        return Distribution(logits=theta.clamp(-LARGEST, LARGEST)).icdf(uniform)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (F,) logits at which the means are the given ones, by Newton's method."""
        theta = 6 * inverse("sigmoid", mean) / 4
        mean = mean.clamp(0.01, 0.99)
        for _ in range(50):
            with torch.enable_grad():
                at = theta.detach().requires_grad_()
                value = self.mean(at)
                (slope,) = torch.autograd.grad(value.sum(), at)
            theta = (theta - ((value.detach() - mean) / slope).clamp(-2, 2)).clamp(-LARGEST, LARGEST)
        return theta


SMALL = 0.3
"""Below, series replace differences of nearly equal numbers."""


def log_normaliser(theta: Tensor) -> Tensor:
    """log((eᶿ - 1)/θ) = log ∫₀¹ eᶿˣ dx, stable near 0 and far from it."""
    small = theta.abs() < SMALL
    safe = torch.where(small, 1.0, theta.abs())
    # = θ/2 + log(sinh(θ/2)/(θ/2)), of which the second part is even.
    even = safe / 2 + torch.log1p(-torch.exp(-safe)) - torch.log(safe)
    series = theta**2 / 24 - theta**4 / 2880 + theta**6 / 181440
    return theta / 2 + torch.where(small, series, even)


@dataclass
class ContinuousBernoulli(Part):
    """Values in [0, 1] as a density: p(x) = C(λ) λˣ (1 - λ)¹⁻ˣ (Loaiza-Ganem and Cunningham 2019).

    The binary cross-entropy with the constant that makes it a log-density, so that likelihoods of grey levels can be
    compared. The mean is not λ: near ½ it moves a third as fast.

    Examples
    --------
    >>> import torch
    >>> likelihood = ContinuousBernoulli().build(features=1)
    >>> float(likelihood.nll(torch.tensor([[0.3]]), torch.zeros(1, 1)))  # uniform at λ = ½
    0.0
    """

    def build(self, features: int) -> ContinuousBernoulliLikelihood:
        """Return the module for rows of that many columns."""
        return ContinuousBernoulliLikelihood(features)
