"""log p(x) of a decoder under a Gaussian prior: Laplace's method proposes codes, importance sampling corrects it."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Decoder = Callable[[Tensor], Tensor]
LEAST_VARIANCE = 1e-12
"""Variances of cells are taken to be at least this."""
DIGITS = 1e4
"""Digits of a row's code that shift its points: enough for noise that differs between rows."""
LEAST = 1e-9
"""Probabilities are kept this far from 0 and 1, where the normal quantile is infinite."""
STEPS = (1.0, 0.5, 0.25)
"""Parts of a Newton step that are tried."""


def jacobian(function: Decoder, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return function(u), (B, F), and its derivatives in each coordinate of u (B, K), (B, K, F).

    K products Jv, each the derivative of Jᵀw in w. (Forward-mode differentiation compiles for seconds when first used.)

    >>> value, derivatives = jacobian(lambda u: u.square(), torch.tensor([[1.0, 3.0]]))
    >>> derivatives.tolist()
    [[[2.0, 0.0], [0.0, 6.0]]]
    """
    with torch.enable_grad():
        start = u.detach().requires_grad_()
        value = function(start)
        weights = torch.zeros_like(value, requires_grad=True)
        (pulled,) = torch.autograd.grad(value, start, weights, create_graph=True)
        columns = []
        for place in range(u.shape[1]):
            direction = torch.zeros_like(u)
            direction[:, place] = 1
            columns.append(torch.autograd.grad(pulled, weights, direction, retain_graph=True)[0])
    return value.detach(), torch.stack(columns, 1)


def precision_factor(derivatives: Tensor, variances: Tensor) -> Tensor:
    """Return the Cholesky factor (B, K, K) of I + J V⁻¹ Jᵀ, the precision of u given x, float64.

    Parameters
    ----------
    derivatives
        J, (B, K, F), of the means of p(x|u) in u.
    variances
        V, (B, F), of p(x|u); infinite for cells that say nothing.
    """
    scaled = (derivatives * variances.clamp_min(LEAST_VARIANCE).rsqrt()[:, None]).double()
    eye = torch.eye(scaled.shape[1], dtype=torch.float64, device=scaled.device)
    return torch.linalg.cholesky(eye + scaled @ scaled.transpose(1, 2))


def mode(log_joint: Decoder, u: Tensor, factor: Tensor) -> Tensor:
    """Return a code (B, K) nearer to the mode of log p(x, u) than u: after a Newton step, as long as it gains."""
    with torch.enable_grad():
        start = u.detach().requires_grad_()
        value = log_joint(start)
        (gradient,) = torch.autograd.grad(value.sum(), start)
    best, found = value.detach(), u
    step = torch.cholesky_solve(gradient.double()[:, :, None], factor)[:, :, 0].to(u)
    for part in STEPS:
        moved = u + part * step
        reached = log_joint(moved)
        gains = reached > best
        best = torch.where(gains, reached, best)
        found = torch.where(gains[:, None], moved, found)
    return found


def normal_points(uniform: Tensor, own: Tensor) -> Iterator[Tensor]:
    """Yield standard normal points (B, K), one set for each of S points (S, K) in the unit cube.

    Every row shifts the points around the cube by digits of its own code (B, K) (Cranley and Patterson 1976): the noise
    differs between rows, so that their errors cancel in a mean, and is the same wherever a row stands.
    """
    shift = torch.frac(own.double() * DIGITS)
    for point in uniform:
        yield torch.special.ndtri(torch.remainder(point + shift, 1).clamp(LEAST, 1 - LEAST))


def importance_weighted(log_joint: Decoder, centre: Tensor, factor: Tensor, uniform: Tensor) -> Tensor:
    """Return the logarithm of the mean of p(x, u) / q(u) over draws u from q = N(centre, (L Lᵀ)⁻¹), (B,) float64.

    Its exponential is p(x) on average, for every q; and in every draw, if p(x, u) is a Gaussian in u and q its
    posterior, as for a linear decoder.

    Parameters
    ----------
    log_joint
        From codes (B, K) to log p(x, u) + ½ K log 2π, (B,) float64.
    centre, factor
        (B, K), and L, (B, K, K) lower triangular, float64.
    uniform
        (S, K) points in [0, 1).
    """
    total = torch.full((len(centre),), -math.inf, dtype=torch.float64, device=centre.device)
    # log q(u) + ½ K log 2π = log det L - ½ ε², with u = centre + L⁻ᵀ ε.
    log_determinant = factor.diagonal(dim1=1, dim2=2).log().sum(1)
    for epsilon in normal_points(uniform, centre):
        away = torch.linalg.solve_triangular(factor.transpose(1, 2), epsilon[:, :, None], upper=True)[:, :, 0]
        ratio = log_joint(centre + away.to(centre)) + 0.5 * epsilon.square().sum(1) - log_determinant
        total = torch.logaddexp(total, ratio)
    return total - math.log(len(uniform))
