"""Divergences between distributions, in closed form or estimated from samples."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Scales of the inverse multiquadratic kernel."""
LOG_2_PI = math.log(2 * math.pi)
CELLS = 2**23
"""Numbers that `total_correlation` holds in memory at a time."""


def precise(values: Tensor) -> Tensor:
    """Return values of half precision in float32, because small differences matter here; others unchanged."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def from_standard_normal(posterior: Normal) -> Tensor:
    """Return KL(N(μ, σ²) ‖ N(0, 1)) = ½(μ² + σ² - 1 - log σ²) of each coordinate, (B, K), in nats."""
    mean, variance = precise(posterior.mean), precise(posterior.stddev).square()
    return 0.5 * (mean.square() + variance - 1 - torch.log(variance))


def kernel_matrix(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Return the kernel between the rows of a (n, K) and b (m, K), (n, m), for codes of about unit variance.

    "imq": Σ_s C/(C + ‖a - b‖²), C = 2Ks, over seven scales s (Tolstikhin et al. 2018); "rbf": exp(-‖a - b‖²/2K).
    """
    # Unlike a matrix product, cdist stays in float32 under a bfloat16 autocast.
    squares, size = torch.cdist(a, b).square(), a.shape[1]
    if name == "rbf":
        return torch.exp(-squares / (2 * size))
    kernel = torch.zeros_like(squares)
    for scale in IMQ_SCALES:
        constant = 2.0 * size * scale
        kernel = kernel + constant / (constant + squares)
    return kernel


def squared_mmd(name: str, a: Tensor, b: Tensor, weight: Tensor | None = None) -> Tensor:
    """Estimate the squared maximum mean discrepancy of samples a (n, K), b (m, K) without bias.

    (Gretton et al. 2012, lemma 6.) `weight` (n,) weighs the rows of a. With fewer than two rows of positive weight
    there is no estimate, and the result is 0.
    """
    a, b = precise(a), precise(b)
    share = torch.ones_like(a[:, 0]) if weight is None else weight.to(a)
    least = torch.finfo(a.dtype).tiny
    share = share / share.sum().clamp_min(least)
    pairs = torch.outer(share, share).fill_diagonal_(0)
    total = pairs.sum()
    within_a = (kernel_matrix(name, a, a) * pairs).sum() / total.clamp_min(least)
    others = 1 - torch.eye(len(b), dtype=b.dtype, device=b.device)
    within_b = (kernel_matrix(name, b, b) * others).sum() / max(1, len(b) * (len(b) - 1))
    between = (share[:, None] * kernel_matrix(name, a, b)).sum() / max(1, len(b))
    return torch.where(total > 0, within_a + within_b - 2 * between, 0.0) * (len(b) > 1)


def total_correlation(z: Tensor, posterior: Normal, weight: Tensor | None = None) -> Tensor:
    """Estimate log q(z) - Σⱼ log q(zⱼ) for draws z (B, K) of the posteriors of a batch, (B,).

    q is the mixture of the posteriors of the batch (Chen et al. 2018, equation S6, with the batch as the data),
    weighted by `weight` (B,). The estimate is biased upwards for small B, because each row is a large part of its own
    mixture. If the batch were B draws from N rows, log q(z) and each log q(zⱼ) would be smaller by log N/B, a constant.
    """
    z, mean, deviation = precise(z), precise(posterior.mean), precise(posterior.stddev)
    share = torch.ones_like(z[:, 0]) if weight is None else weight.to(z)
    log_share = torch.log(share / share.sum())[:, None]
    found = []
    for rows in z.split(max(1, CELLS // max(1, mean.numel()))):
        scaled = (rows[:, None] - mean) / deviation
        log_densities = -0.5 * (scaled.square() + LOG_2_PI) - torch.log(deviation)
        joint = torch.logsumexp(log_densities.sum(2) + log_share[:, 0], dim=1)
        found.append(joint - torch.logsumexp(log_densities + log_share, dim=1).sum(1))
    return torch.cat(found)
