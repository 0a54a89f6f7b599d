"""The best linear map from principal coordinates to a likelihood's outputs: a generalised linear model per column."""

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.likelihood import LikelihoodModule

RIDGE = 1e-3
"""Weight of the squared coefficients of standardised coordinates, relative to a mean over rows. Without it, categories
that a line separates without error would make the line infinitely steep."""
ITERATIONS = 30
"""Iterations of L-BFGS."""


def best_linear(
    likelihood: LikelihoodModule, coordinates: Tensor, sample: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Fit θ = A c + b so that the loss of a likelihood with outputs θ is least over the sample.

    Parameters
    ----------
    likelihood
        p(x|z), which is left in evaluation mode.
    coordinates
        c, (n, R) float64.
    sample
        (n, F) rows.
    weight
        (n,) weights of these rows, or None for equal weights.

    Returns
    -------
    A : Tensor of shape (P, R), float64
    b : Tensor of shape (P,), float64
    """
    target = sample.double()
    weight = None if weight is None else weight.double()
    filled = likelihood.filled(target)
    middle = batch_mean(filled, weight)
    spread = coordinates.square().mean(0).sqrt()
    spread = torch.where(spread > 1e-9 * spread.max(), spread, torch.inf)
    standard = coordinates / spread
    likelihood.eval()
    start = likelihood.start_bias(middle, batch_mean((filled - middle).square(), weight)).double()
    rank, outputs = standard.shape[1], len(start)

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            line = torch.tensor(numbers, device=sample.device, requires_grad=True)
            matrix, bias = line[: rank * outputs].view(outputs, rank), line[rank * outputs :]
            mean_loss = batch_mean(likelihood.loss(target, standard @ matrix.T + bias), weight)
            value = mean_loss + RIDGE * matrix.square().sum()
            (gradient,) = torch.autograd.grad(value, line)
        return float(value.detach()), gradient.cpu().numpy()

    first = torch.cat([torch.zeros(rank * outputs).to(start), start]).cpu().numpy()
    best = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    found = torch.tensor(best, device=sample.device)
    return found[: rank * outputs].view(outputs, rank) / spread, found[rank * outputs :]
