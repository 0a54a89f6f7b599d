r"""Likelihoods p(x|z): the reconstruction loss, in nats per row, and the mean, which is the reconstruction.

The paper "AutoEncoders" (Dieye, Negho and Djaha 2023) trains with two of them, and its words for them work as names:

- "mse", its mean squared error, equation (2), (1/M) Σᵢ ‖Xᵢ - X̂ᵢ‖², is the Gaussian with a fixed variance:
  -log p(x|z) = ‖x - x̂‖² / 2σ² + constant, with the gradient (4) up to the same factor. At σ² = 1/2 it is
  ‖x - x̂‖² itself: ``likelihood="mse"`` is ``Gaussian(variance=0.5)``;
- "bce", its binary cross-entropy, equation (5), is the `Bernoulli`. The paper's inner sum runs to M, the number of
  rows; it must run over the features of a row, as it does here.

Below (6) and (7) the paper concludes from the vanishing first derivative that x̂ = x is the global minimum. That alone
does not follow: the second derivative, positive everywhere in (0, 1), makes the loss convex in x̂ and the stationary
point its minimum. For targets strictly inside (0, 1) the minimum is the entropy of the target, not 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from isthmus.core import modules
from isthmus.core.checks import is_number, positive_number
from isthmus.core.contract import Part, batch_mean
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.registry import register

LOG_2_PI = math.log(2 * math.pi)
LEAST_COUNT = 1e-12
"""Least weight of the cells by which a variance is divided."""
FOLLOWING = 0.01
"""Weight of the batch's variance in the running mean that an optimal variance keeps, per training step."""


class GaussianLikelihood(LikelihoodModule):
    """p(x|z) = N(x; a(θ), σ²), independent columns; see `Gaussian`."""

    density = True

    def __init__(self, features: int, variance: float | str, activation: str, floor: float) -> None:
        super().__init__()
        self.features = features
        self.mode = variance
        self.floor = floor
        self.activation: str = activation
        self.function: Callable[[Tensor], Tensor] = modules.activation(activation).function
        self.outputs = 2 * features if variance == "learned" else features
        shape = (features,) if variance == "columns" else ()
        self.log_floor: Tensor = nn.Buffer(torch.tensor(math.log(floor), dtype=torch.float64), persistent=False)
        first = variance if isinstance(variance, float) else 1.0
        self.variance: Tensor = nn.Buffer(torch.full(shape, first, dtype=torch.float64))

    @property
    def exhausted(self) -> bool:  # type: ignore[override]
        """Whether the variance, set by errors, is at its floor."""
        return self.mode in ("optimal", "columns") and bool((self.variance <= self.floor).all())

    def mean(self, theta: Tensor) -> Tensor:
        """Return the mean (B, F) from the outputs (B, P)."""
        return self.function(theta[:, : self.features])

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats."""
        squares = (x - self.mean(theta)).square()
        log_variance = self.log_variance(theta, squares, weight)
        return 0.5 * (squares * torch.exp(-log_variance) + log_variance + LOG_2_PI)

    def nll(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each row, (B,), in nats; in one pass over the cells if they share a variance."""
        if cells is not None and self.mode in ("optimal", "columns"):
            return self.nll_of_cells((x - self.mean(theta)).square(), weight, cells)
        if self.mode in ("learned", "columns") or cells is not None:
            return super().nll(x, theta, weight, cells)
        squared = (x - self.mean(theta)).square().sum(1)
        variance = self.common_variance(squared / self.features, weight)
        return 0.5 * (squared / variance + self.features * (torch.log(variance) + LOG_2_PI))

    def nll_of_cells(self, squares: Tensor, weight: Tensor | None, cells: Tensor) -> Tensor:
        """Return what `nll` does, from squared errors (B, F), at a variance of the cells by their weights."""
        summed = 0 if self.mode == "columns" else 1
        squared, counts = squares * cells, cells
        if summed:
            squared, counts = squared.sum(1), counts.sum(1)
        share = batch_mean(counts, weight)
        # Squares over the mean of the counts have the variance by these weights as their mean.
        variance = self.common_variance(squared / share.clamp_min(LEAST_COUNT), weight)
        losses = 0.5 * (squared / variance + counts * (torch.log(variance) + LOG_2_PI))
        return losses if summed else losses.sum(1)

    def log_variance(self, theta: Tensor, squares: Tensor, weight: Tensor | None) -> Tensor:
        """Return log σ²: of each cell (B, F) if it is learned, else one number, or one per column (F,)."""
        if self.mode == "learned":
            # σ² = floor + e^θ: unlike a clamp it lets a gradient through everywhere.
            return torch.logaddexp(theta[:, self.features :], self.log_floor)
        return torch.log(self.common_variance(squares if self.mode == "columns" else squares.mean(1), weight)).to(
            squares
        )

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return ½(x - x̂)², (B, F): -log p(x|z) at σ = 1, less its value at x̂ = x."""
        return 0.5 * (x - self.mean(theta)).square()

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write ½(x - x̂)² of each cell, and w(x̂ - x) for outputs that are means, 0 for others."""
        if self.activation != "identity":
            super().deviance_loss_and_gradient(x, theta, weight, losses, gradient)
            return
        error = theta[: self.features] - x
        np.multiply(error, weight, out=gradient[: self.features])
        if self.outputs > self.features:
            gradient[self.features :] = 0
        np.multiply(error, error, out=losses)
        losses *= 0.5

    def common_variance(self, errors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the σ² that cells share, from the mean squared errors of rows (B,) or squares of cells (B, F)."""
        if self.mode not in ("optimal", "columns") or not self.training:
            return self.variance
        # σ² = the batch's mean squared error minimises the loss over σ²; held fixed, it gives the weights the same
        # gradient as (F/2) log MSE (Rybkin, Daniilidis and Levine 2021, equation 4).
        variance = batch_mean(errors.detach(), weight).clamp_min(self.floor)
        self.variance.lerp_(variance.to(self.variance), FOLLOWING)
        return variance

    def cell_log_variance(self, theta: Tensor) -> Tensor:
        """Return log σ² as it is in use, broadcastable to (B, F)."""
        return self.log_variance(theta, torch.zeros_like(theta[:, : self.features]), None)

    def variances(self, theta: Tensor) -> Tensor:
        """Return σ² of each cell, (B, F)."""
        return torch.exp(self.cell_log_variance(theta)).expand(len(theta), self.features)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F); with a sigmoid or relu on the mean, a draw may leave the range of the mean."""
        mean = self.mean(theta)
        deviation = torch.exp(0.5 * self.cell_log_variance(theta))
        return mean + deviation * torch.empty_like(mean).normal_(generator=generator)

    def set_variance(self, mean_squared_error: float) -> None:
        """Fix an optimal variance at the mean squared error over the data."""
        if self.mode == "optimal":
            self.variance.fill_(max(mean_squared_error, self.floor))

    def set_spread(self, errors: Tensor) -> None:
        """Fix an optimal variance at the mean squared errors (F,) of the columns, or at their mean."""
        if self.mode == "columns":
            self.variance.copy_(errors.clamp_min(self.floor))
        else:
            self.set_variance(float(errors.mean()))

    def with_column_spreads(self) -> "GaussianLikelihood | None":
        """Return a copy with an optimal variance of each column; None if variances are fixed or learned."""
        if self.mode not in ("optimal", "columns"):
            return None
        copy = GaussianLikelihood(self.features, "columns", self.activation, self.floor).to(self.variance)
        copy.variance.copy_(self.variance.expand(self.features))
        return copy.eval()

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the outputs beyond the mean at which each column has the given variance, (F,) or none."""
        if self.mode != "learned":
            return residual_variances[:0]
        return (residual_variances - self.floor).clamp_min(self.floor).log()


@register("likelihood", column="real")
@dataclass
class Gaussian(Part):
    """Real-valued columns: p(x|z) = N(x; a(θ), σ²); with a fixed variance, the mean squared error.

    Parameters
    ----------
    variance : float or {"optimal", "columns", "learned"}
        A number, above 0: σ² is that number. "optimal": one σ² for all columns, the mean squared error itself (σ-VAE,
        Rybkin et al. 2021), fixed after training at its value on the validation rows (the training rows if there are
        none), so that scores are comparable and the weight of the reconstruction needs no tuning. "columns": the same
        with one σ² per column. "learned": the decoder gives a number θ for every column of every row, whose variance
        is floor + exp(θ); P = 2F.
    activation : str
        a, the output activation on the mean: "identity" for any real number, "sigmoid" for data in [0, 1]. (With
        "relu" an output that is negative for every row stops learning: on MNIST more than half of the pixels die.)
    floor : float
        Least variance, in squared units of the scaled data.

    Raises
    ------
    ValueError
        In `fit`, if the variance, the activation or the floor is not one of these.

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

    @classmethod
    def for_columns(cls, sizes: tuple[int, ...]) -> Self:
        """Return the likelihood of a table's columns: with a variance of each column."""
        return cls("columns")

    def build(self, features: int) -> GaussianLikelihood:
        """Return the module for rows of `features` numbers."""
        variance, floor = self.variance, positive_number("floor of Gaussian", self.floor)
        if is_number(variance):
            variance = positive_number("variance of Gaussian", variance)
        elif variance not in ("optimal", "columns", "learned"):
            raise ValueError(
                f"variance of Gaussian must be a positive number, 'optimal', 'columns' or 'learned'; got {variance!r}"
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
        """Return probabilities (B, F) from logits (B, F)."""
        return torch.sigmoid(theta)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the binary cross-entropy of each cell, (B, F), in nats."""
        return functional.binary_cross_entropy_with_logits(theta, x, reduction="none")

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the cross-entropy less the entropy of x, (B, F): KL(x ‖ x̂)."""
        entropy = -torch.xlogy(x, x) - torch.xlogy(1 - x, 1 - x)
        return (self.columns(x, theta) - entropy).clamp_min(0)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the cross-entropy of each cell, (B, F), which is the half deviance for zeros and ones."""
        return self.columns(x, theta)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write log(1 + eᶿ) - xθ of each cell, and w(σ(θ) - x)."""
        softplus = np.logaddexp(0, theta)
        np.exp(theta - softplus, out=gradient)
        gradient -= x
        gradient *= weight
        np.subtract(softplus, x * theta, out=losses)

    def variances(self, theta: Tensor) -> Tensor:
        """Return p(1 - p) of each cell, (B, F)."""
        probability = torch.sigmoid(theta)
        return probability * (1 - probability)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw zeros and ones (B, F)."""
        return torch.bernoulli(torch.sigmoid(theta), generator=generator)


@register("likelihood", column="boolean")
@dataclass
class Bernoulli(Part):
    """Columns in [0, 1]: binary cross-entropy, -Σ x log x̂ + (1 - x) log(1 - x̂) with x̂ = σ(θ).

    For values 0 and 1 it is -log p(x|z). For values in between it is still least at x̂ = x, and a good loss for images,
    but not the logarithm of a density; see `ContinuousBernoulli`.

    Examples
    --------
    >>> import torch
    >>> likelihood = Bernoulli().build(features=2)
    >>> round(float(likelihood.nll(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2))), 4)  # 2 log 2
    1.3863
    """

    def build(self, features: int) -> BernoulliLikelihood:
        """Return the module for rows of `features` numbers."""
        return BernoulliLikelihood(features)
