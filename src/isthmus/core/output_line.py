"""The straight line before a likelihood's output activation: gain and offset, by least squares."""

import math

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.modules import activation
from isthmus.core.principal import PrincipalComponents

LEAST_FITTED = 64
FITTED_CELLS = 2**16
"""Gain and offset of the output are fitted on about this many cells, but at least that many rows."""


def output_line(
    name: str, principal: PrincipalComponents, coordinates: Tensor, sample: Tensor, weight: Tensor | None
) -> tuple[float, float]:
    """Fit gain and offset so that a(gain·PCA + offset) is nearest to the sample in the mean squared error.

    The fit starts at the tangent of the activation a at 0. relu and the identity need no fit.

    Parameters
    ----------
    name
        Of the activation a.
    principal
        R components.
    coordinates
        (n, R) coordinates of the sample.
    sample
        (n, F) rows, of which the first are used.
    weight
        (n,) weights of these rows, or None for equal weights.
    """
    if name in ("identity", "relu"):
        return 1.0, 0.0
    few = max(LEAST_FITTED, FITTED_CELLS // sample.shape[1])
    linear, target = coordinates[:few] @ principal.written.T + principal.mean, sample[:few].double()
    weight = None if weight is None else weight[:few].double()
    function = activation(name).function
    with torch.enable_grad():
        zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
        level = function(zero)
        (derivative,) = torch.autograd.grad(level, zero)

    def error(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            line = torch.tensor(numbers, dtype=torch.float64, device=linear.device, requires_grad=True)
            squares = (function(line[0] * linear + line[1]) - target).square()
            loss = batch_mean(squares.mean(1), weight)
            (gradient,) = torch.autograd.grad(loss, line)
        return float(loss), gradient.cpu().numpy()

    start = np.array([1 / float(derivative), -float(level) / float(derivative)])
    # Not torch's own optimisers: the first of them costs a second of imports.
    gain, offset = map(float, minimize(error, start, jac=True, method="BFGS", options={"maxiter": 50}).x)
    # Data without spread have no gain to fit.
    return (gain, offset) if gain > 0 and math.isfinite(gain) and math.isfinite(offset) else (1.0, 0.0)
