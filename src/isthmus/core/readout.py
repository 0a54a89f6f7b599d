"""The best linear map from principal coordinates to a likelihood's parameters: a generalised linear model a column."""

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from isthmus.core.contract import LikelihoodModule, batch_mean

RIDGE = 1e-3
"""Weight of the squared coefficients of standardised coordinates, beside a mean over rows: categories that a line tells
apart without error would otherwise have it infinitely steep."""
ITERATIONS = 30


def best_linear(
    likelihood: LikelihoodModule, coordinates: Tensor, sample: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Fit θ = A c + b so that a likelihood of θ suits the sample best.

    Parameters
    ----------
    coordinates
        c, (n, R) float64.
    sample
        (n, F)
    weight
        (n,) weights of these rows, or None for equal ones.

    Returns
    -------
    (A, b), of shapes (P, R) and (P,), float64
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
            slopes, bias = line[: rank * outputs].view(outputs, rank), line[rank * outputs :]
            lacking = batch_mean(likelihood.loss(target, standard @ slopes.T + bias), weight)
            value = lacking + RIDGE * slopes.square().sum()
            (gradient,) = torch.autograd.grad(value, line)
        return float(value.detach()), gradient.cpu().numpy()

    first = torch.cat([torch.zeros(rank * outputs).to(start), start]).cpu().numpy()
    best = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    found = torch.tensor(best, device=sample.device)
    return found[: rank * outputs].view(outputs, rank) / spread, found[rank * outputs :]
