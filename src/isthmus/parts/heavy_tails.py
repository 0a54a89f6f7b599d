"""Likelihoods of real values with outliers: `Laplace` and `StudentT`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from isthmus.core import modules
from isthmus.core.checks import is_number, positive_number
from isthmus.core.contract import Part, batch_mean
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.registry import register

FOLLOWING = 0.01
"""Weight of the batch's scale in the running mean that an optimal scale keeps, per training step."""
FLOOR = 1e-4
"""Least scale, in units of the scaled data."""
LARGEST = 40.0
"""Greatest logarithm of a learned scale, whose square float32 still holds."""


class LocationScale(LikelihoodModule):
    """p(x|z) = p₀((x - a(θ))/s)/s, independent columns."""

    density = True

    def __init__(self, features: int, scale: float | str, activation: str) -> None:
        super().__init__()
        self.features = features
        self.mode = scale
        self.activation: str = activation
        self.function: Callable[[Tensor], Tensor] = modules.activation(activation).function
        self.outputs = 2 * features if scale == "learned" else features
        first = scale if isinstance(scale, float) else 1.0
        self.scale: Tensor = nn.Buffer(torch.tensor(first, dtype=torch.float64))
        self.followed_batches = False
        """Whether batches have taught an optimal scale, which then needs no other estimate."""

    def deviation(self) -> float:
        """Return the standard deviation at s = 1."""
        raise NotImplementedError

    def best_scale(self, errors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the s that maximises, at least roughly, the likelihood of the errors (B, F) of a batch."""
        raise NotImplementedError

    def log_density(self, standardised: Tensor) -> Tensor:
        """Return log p₀ of each number."""
        raise NotImplementedError

    def deviance_and_derivative(self, standardised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ρ(u) - ρ(0) and ρ'(u) of each number u, with ρ = -log p₀."""
        raise NotImplementedError

    def standard_sample(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draw from p₀ a tensor with the shape of `like`."""
        raise NotImplementedError

    def mean(self, theta: Tensor) -> Tensor:
        """Return the mean (B, F) from the outputs (B, P)."""
        return self.function(theta[:, : self.features])

    def scales(self, theta: Tensor, errors: Tensor | None, weight: Tensor | None) -> Tensor:
        """Return s: of each cell (B, F) if it is learned, else one number."""
        if self.mode == "learned":
            return FLOOR + torch.exp(theta[:, self.features :].clamp_max(LARGEST))
        if self.mode == "optimal" and self.training and errors is not None:
            scale = self.best_scale(errors.detach(), weight).clamp_min(FLOOR)
            self.scale.lerp_(scale.to(self.scale), FOLLOWING)
            self.followed_batches = True
            return scale
        return self.scale.to(theta)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats."""
        errors = x - self.mean(theta)
        scales = self.scales(theta, errors, weight)
        return torch.log(scales) - self.log_density(errors / scales)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return log p₀(0) - log p₀(e/s) of the errors e, (B, F), at the present scale."""
        errors = (x - self.mean(theta)) / self.scales(theta, None, None)
        return self.log_density(torch.zeros_like(errors)) - self.log_density(errors)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write the half deviance of each cell, and the gradient of its weighted sum.

        With u = e/s the derivatives are -ρ'(u)/s in the mean and -uρ'(u)/s in a learned scale s, ρ = -log p₀.
        """
        if self.activation != "identity":
            super().deviance_loss_and_gradient(x, theta, weight, losses, gradient)
            return
        learned = self.mode == "learned"
        scales = FLOOR + np.exp(theta[self.features :]) if learned else float(self.scale)
        errors = (x - theta[: self.features]) / scales
        losses[:], derivatives = self.deviance_and_derivative(errors)
        in_mean = np.multiply(derivatives, -weight / scales, out=gradient[: self.features])
        if learned:
            np.multiply(in_mean * errors, scales - FLOOR, out=gradient[self.features :])

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F)."""
        mean = self.mean(theta)
        return mean + self.scales(theta, None, None) * self.standard_sample(mean, generator)

    def variances(self, theta: Tensor) -> Tensor:
        """Return the variance of each cell, (B, F)."""
        return (self.scales(theta, None, None) * self.deviation()).square().expand(len(theta), self.features)

    def set_variance(self, mean_squared_error: float) -> None:
        """Fix an optimal scale at the one with that variance, unless batches have taught it."""
        if self.mode == "optimal" and not self.followed_batches:
            self.scale.fill_(max(math.sqrt(mean_squared_error) / self.deviation(), FLOOR))

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the outputs beyond the mean at which each column has the given variance, (F,) or none."""
        if self.mode != "learned":
            return residual_variances[:0]
        return (residual_variances.sqrt() / self.deviation() - FLOOR).clamp_min(FLOOR).log()


class LaplaceLikelihood(LocationScale):
    """p(x|z) = exp(-|x - a(θ)|/s) / 2s; see `Laplace`."""

    def deviation(self) -> float:
        """Return √2."""
        return math.sqrt(2)

    def best_scale(self, errors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean absolute error, which maximises the likelihood."""
        return batch_mean(errors.abs(), weight).mean()

    def log_density(self, standardised: Tensor) -> Tensor:
        """Return -|u| - log 2."""
        return -standardised.abs() - math.log(2)

    def deviance_and_derivative(self, standardised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return |u| and the sign of u."""
        return np.abs(standardised), np.sign(standardised)

    def standard_sample(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draw the difference of two exponentials."""
        first, second = (torch.empty_like(like).exponential_(generator=generator) for _ in range(2))
        return first - second


class StudentTLikelihood(LocationScale):
    """Student's t with ν degrees of freedom; see `StudentT`."""

    def __init__(self, features: int, scale: float | str, activation: str, df: float) -> None:
        super().__init__(features, scale, activation)
        self.df = df

    def deviation(self) -> float:
        """Return √(ν/(ν - 2))."""
        return math.sqrt(self.df / (self.df - 2))

    def best_scale(self, errors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the scale after one step of expectation maximisation from the present one (Lange et al. 1989)."""
        squares = errors.square()
        present = self.scale.to(errors).square()
        trust = (self.df + 1) / (self.df + squares / present)
        return batch_mean(trust * squares, weight).mean().sqrt()

    def log_density(self, standardised: Tensor) -> Tensor:
        """Return log Γ((ν+1)/2) - log Γ(ν/2) - ½ log νπ - ((ν+1)/2) log(1 + u²/ν)."""
        constant = math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(self.df * math.pi)
        return constant - 0.5 * (self.df + 1) * torch.log1p(standardised.square() / self.df)

    def deviance_and_derivative(self, standardised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ((ν+1)/2) log(1 + u²/ν) and (ν + 1)u/(ν + u²)."""
        squares = standardised**2
        half_deviances = 0.5 * (self.df + 1) * np.log1p(squares / self.df)
        return half_deviances, (self.df + 1) * standardised / (self.df + squares)

    def standard_sample(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draw a normal over the root of a chi-square by its degrees of freedom, by Bailey's polar method (1994)."""
        first, second = (torch.empty_like(like).uniform_(generator=generator) for _ in range(2))
        radius = torch.sqrt(self.df * torch.expm1(-2 / self.df * torch.log(first.clamp_min(1e-30))))
        return radius * torch.cos(2 * math.pi * second)


def checked_scale(name: str, scale: float | str) -> float | str:
    """Return a scale that is a positive number, "optimal" or "learned"."""
    if is_number(scale):
        return positive_number(f"scale of {name}", scale)
    if scale not in ("optimal", "learned"):
        raise ValueError(f"scale of {name} must be a positive number, 'optimal' or 'learned'; got {scale!r}")
    return scale


@register("likelihood", column="real")
@dataclass
class Laplace(Part):
    """Real values with outliers: p(x|z) = exp(-|x - a(θ)|/s) / 2s, with a fixed scale the mean absolute error.

    Parameters
    ----------
    scale : float or {"optimal", "learned"}
        s, above 0, in units of the scaled data. "optimal": one for all columns, the mean absolute error. "learned":
        one per cell, from the decoder; P = 2F.
    activation : str
        a, the output activation on the mean (which is the median).

    Raises
    ------
    ValueError
        In `fit`, if the scale or the activation is not one of these.

    Examples
    --------
    >>> import torch
    >>> likelihood = Laplace(scale=1.0).build(features=2)
    >>> x, theta = torch.ones(1, 2), torch.zeros(1, 2)
    >>> round(float(likelihood.nll(x, theta) - likelihood.nll(x, x)), 6)  # Σ|x - x̂|
    2.0
    """

    scale: float | str = "optimal"
    activation: str = "identity"

    def build(self, features: int) -> LaplaceLikelihood:
        """Return the module for rows of `features` numbers."""
        return LaplaceLikelihood(features, checked_scale("Laplace", self.scale), self.activation)


@register("likelihood", column="real")
@dataclass
class StudentT(Part):
    """Real values with strong outliers: Student's t with ν degrees of freedom around a(θ), scale s.

    The pull of an outlier on the weights falls with its distance instead of growing (Lange, Little and Taylor 1989).
    The variance is s²ν/(ν - 2).

    Parameters
    ----------
    df : float
        ν, above 2.
    scale : float or {"optimal", "learned"}
        s, above 0, in units of the scaled data. "optimal": one for all columns, by expectation maximisation over
        batches. "learned": one per cell, from the decoder; P = 2F.
    activation : str
        a, the output activation on the mean.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is not one of these.

    Examples
    --------
    >>> import torch
    >>> likelihood = StudentT(df=4.0, scale=1.0).build(features=1)
    >>> round(float(likelihood.nll(torch.zeros(1, 1), torch.zeros(1, 1))), 4)  # -log 0.375
    0.9808
    """

    df: float = 4.0
    scale: float | str = "optimal"
    activation: str = "identity"

    def build(self, features: int) -> StudentTLikelihood:
        """Return the module for rows of `features` numbers."""
        df = positive_number("df of StudentT", self.df)
        if df <= 2:
            raise ValueError(f"df of StudentT must be above 2, for a variance; got {self.df!r}")
        return StudentTLikelihood(features, checked_scale("StudentT", self.scale), self.activation, df)
