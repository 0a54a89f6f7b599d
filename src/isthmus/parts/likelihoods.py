r"""Likelihoods p(x|z): the reconstruction loss, in nats a row, and the mean that is shown as the reconstruction.

The paper "AutoEncoders" (Dieye, Negho and Djaha 2023) trains with two of them:

- its mean squared error, equation (2), (1/M) Σᵢ ‖Xᵢ - X̂ᵢ‖², is the Gaussian with a fixed variance: minus
  log-likelihood = ‖x - x̂‖² / 2σ² + constant, with the gradient (4) up to the same factor;
- its binary cross-entropy, equation (5), is the Bernoulli. As printed there the inner sum runs to M, the number of
  rows; it has to run over the features of a row, as it does here.

Below (6) and (7) the paper concludes from the vanishing first derivative that x̂ = x is the global minimum. That alone
does not follow: it is the second derivative, positive everywhere in (0, 1), that makes the loss convex in x̂ and the
stationary point its minimum. For targets strictly inside (0, 1) the minimum is the entropy of the target, not 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor
from torch.nn import functional

from isthmus.core import modules
from isthmus.core.checks import is_number, positive_number
from isthmus.core.contract import LikelihoodModule, Part, batch_mean

LOG_2_PI = math.log(2 * math.pi)
FOLLOWING = 0.01
"""How far an optimal variance goes towards that of the batch in a step of training."""


class Likelihood(Protocol):
    """A part that can stand in the likelihood's slot."""

    def build(self, features: int) -> LikelihoodModule:
        """Return the module for rows of that many columns."""
        ...


class GaussianLikelihood(LikelihoodModule):
    """p(x|z) = N(x; a(θ), σ²), independent columns; see `Gaussian`."""

    density = True
    activation: str

    variance: Tensor
    log_floor: Tensor

    def __init__(self, features: int, variance: float | str, activation: str, floor: float) -> None:
        super().__init__()
        self.features = features
        self.mode = variance
        self.floor = floor
        self.activation = activation
        self.function: Callable[[Tensor], Tensor] = modules.activation(activation).function
        self.outputs = 2 * features if variance == "learned" else features
        shape = (features,) if variance == "columns" else ()
        self.register_buffer("log_floor", torch.tensor(math.log(floor), dtype=torch.float64), persistent=False)
        first = variance if isinstance(variance, float) else 1.0
        self.register_buffer("variance", torch.full(shape, first, dtype=torch.float64))

    def mean(self, theta: Tensor) -> Tensor:
        """(B, P) to the mean (B, F)."""
        return self.function(theta[:, : self.features])

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each cell, (B, F), in nats."""
        squares = (x - self.mean(theta)).square()
        log_variance = self.log_variance(theta, squares, weight)
        return 0.5 * (squares * torch.exp(-log_variance) + log_variance + LOG_2_PI)

    def nll(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each row, (B,), in nats; one pass over the cells where they share a variance."""
        if self.mode in ("learned", "columns") or cells is not None:
            return super().nll(x, theta, weight, cells)
        squared = (x - self.mean(theta)).square().sum(1)
        variance = self.common_variance(squared / self.features, weight)
        return 0.5 * (squared / variance + self.features * (torch.log(variance) + LOG_2_PI))

    def log_variance(self, theta: Tensor, squares: Tensor, weight: Tensor | None) -> Tensor:
        """Return log σ², of every cell (B, F) where it is learned, else one number."""
        if self.mode == "learned":
            # σ² = floor + e^θ: unlike a clamp it lets a gradient through everywhere.
            return torch.logaddexp(theta[:, self.features :], self.log_floor)
        return torch.log(self.common_variance(squares if self.mode == "columns" else squares.mean(1), weight)).to(
            squares
        )

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """½(x - x̂)², (B, F): minus log p(x|z) at σ = 1, less what it is at x̂ = x."""
        return 0.5 * (x - self.mean(theta)).square()

    def common_variance(self, errors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the σ² that all cells share, from the squared errors of rows, (B,); or of cells, (B, F)."""
        if self.mode not in ("optimal", "columns") or not self.training:
            return self.variance
        # σ² = the batch's mean squared error minimises the loss over σ²; held fixed, it gives the weights the same
        # gradient as (F/2) log MSE (Rybkin, Daniilidis and Levine 2021, equation 4).
        variance = batch_mean(errors.detach(), weight).clamp_min(self.floor)
        self.variance.lerp_(variance.to(self.variance), FOLLOWING)
        return variance

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F); with a sigmoid or relu on the mean a draw may leave its range."""
        mean = self.mean(theta)
        deviation = torch.exp(0.5 * self.log_variance(theta, torch.zeros_like(mean), None))
        return mean + deviation * torch.empty_like(mean).normal_(generator=generator)

    def set_variance(self, mean_squared_error: float) -> None:
        """Fix an optimal variance at the mean squared error over the data it shall be optimal for."""
        if self.mode == "optimal":
            self.variance.fill_(max(mean_squared_error, self.floor))

    def set_spread(self, errors: Tensor) -> None:
        """Fix an optimal variance at the mean squared errors (F,) of the columns, or at the mean of these."""
        if self.mode == "columns":
            self.variance.copy_(errors.clamp_min(self.floor))
        else:
            self.set_variance(float(errors.mean()))

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the outputs beyond the mean at which the variance of each column is the given one."""
        if self.mode != "learned":
            return residual_variances[:0]
        return (residual_variances - self.floor).clamp_min(self.floor).log()

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) outputs at which every column has the given mean and variance, (F,) each."""
        return torch.cat([modules.inverse(self.activation, mean), self.spread_bias(variance)])


@dataclass
class Gaussian(Part):
    """Real-valued columns: p(x|z) = N(x; a(θ), σ²); with a fixed variance, the mean squared error.

    Parameters
    ----------
    variance : float or str
        A number: σ² is that number. "optimal": one σ² for all columns, the mean squared error itself (σ-VAE, Rybkin
        et al. 2021), fixed after training at its value on the validation rows (the training rows if there are none),
        so that scores are comparable and no weight of the reconstruction has to be tuned. "columns": the same with one
        σ² for each column. "learned": the decoder gives
        a number θ for every column of every row, whose variance is floor + exp(θ); P = 2F.
    activation : str
        a, the output activation on the mean: "identity" for any real number, "sigmoid" for data in [0, 1]. (With
        "relu" a unit that is negative for every row never learns again: on MNIST more than half of the pixels die.)
    floor : float
        No variance is smaller than this, in units of the scaled data.

    Examples
    --------
    >>> import torch
    >>> likelihood = Gaussian(variance=0.5).build(features=3)
    >>> x, theta = torch.ones(1, 3), torch.zeros(1, 3)
    >>> round(float(likelihood.nll(x, theta) - likelihood.nll(x, x)), 6)  # ‖x - x̂‖² when σ² = 1/2
    3.0
    """

    variance: float | str = "optimal"
    activation: str = "identity"
    floor: float = 1e-6

    def build(self, features: int) -> GaussianLikelihood:
        """Return the module for rows of that many columns."""
        variance, floor = self.variance, positive_number("floor of Gaussian", self.floor)
        if is_number(variance):
            variance = positive_number("variance of Gaussian", variance)
        elif variance not in ("optimal", "columns", "learned"):
            raise ValueError(
                f"variance of Gaussian has to be a positive number, 'optimal', 'columns' or 'learned'; got {variance!r}"
            )
        return GaussianLikelihood(features, variance, self.activation, floor)


class BernoulliLikelihood(LikelihoodModule):
    """p(x|z) = Π σ(θ)ˣ (1 - σ(θ))¹⁻ˣ, from logits; see `Bernoulli`."""

    support = (0.0, 1.0)
    activation = "sigmoid"

    def __init__(self, features: int) -> None:
        super().__init__()
        self.outputs = features

    def mean(self, theta: Tensor) -> Tensor:
        """Logits (B, F) to probabilities (B, F)."""
        return torch.sigmoid(theta)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Binary cross-entropy of each cell, (B, F), in nats."""
        return functional.binary_cross_entropy_with_logits(theta, x, reduction="none")

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw zeros and ones (B, F)."""
        return torch.bernoulli(torch.sigmoid(theta), generator=generator)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) logits of the given means (F,)."""
        return modules.inverse("sigmoid", mean)


@dataclass
class Bernoulli(Part):
    """Columns in [0, 1]: binary cross-entropy, -Σ x log x̂ + (1 - x) log(1 - x̂) with x̂ = σ(θ).

    A log-probability where the values are 0 and 1. For values between, it is still least at x̂ = x and a good loss for
    images, but not the logarithm of a density.

    Examples
    --------
    >>> import torch
    >>> likelihood = Bernoulli().build(features=2)
    >>> round(float(likelihood.nll(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2))), 4)  # 2 log 2
    1.3863
    """

    def build(self, features: int) -> BernoulliLikelihood:
        """Return the module for rows of that many columns."""
        return BernoulliLikelihood(features)
