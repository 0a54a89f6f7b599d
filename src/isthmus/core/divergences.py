"""How far distributions are from each other, in closed form or from samples."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LOG_2_PI = math.log(2 * math.pi)


def from_standard_normal(posterior: Normal) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½(μ² + σ² - 1 - log σ²) of each coordinate, (B, K), in nats."""
    variance = posterior.stddev.square()
    return 0.5 * (posterior.mean.square() + variance - 1 - torch.log(variance))


def kernel_matrix(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Kernel between the rows of a (n, K) and b (m, K), (n, m), for codes of about unit variance.

    "imq": Σ_s C/(C + ‖a - b‖²), C = 2Ks, over seven scales s (Tolstikhin et al. 2018); "rbf": exp(-‖a - b‖²/2K).
    """
    squares = (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp_min(0)
    size = a.shape[1]
    if name == "rbf":
        return torch.exp(-squares / (2 * size))
    constants = [2.0 * size * scale for scale in IMQ_SCALES]
    return torch.stack([constant / (constant + squares) for constant in constants]).sum(0)


def squared_mmd(name: str, a: Tensor, b: Tensor, weight: Tensor | None = None) -> Tensor:
    """Unbiased squared maximum mean discrepancy between samples a (n, K), b (m, K); 0 for fewer than two rows.

    `weight` (n,) weighs the rows of a (Gretton et al. 2012, lemma 6).
    """
    if min(len(a), len(b)) < 2:
        return (a * 0).sum()
    share = torch.ones_like(a[:, 0]) if weight is None else weight.to(a)
    share = share / share.sum()
    pairs = torch.outer(share, share)
    pairs = pairs - torch.diag(pairs.diagonal())
    others = 1 - torch.eye(len(b), dtype=b.dtype, device=b.device)
    within_a = (kernel_matrix(name, a, a) * pairs).sum() / pairs.sum()
    within_b = (kernel_matrix(name, b, b) * others).sum() / others.sum()
    return within_a + within_b - 2 * (share @ kernel_matrix(name, a, b)).mean()


def total_correlation(z: Tensor, posterior: Normal) -> Tensor:
    """Estimate log q(z) - Σⱼ log q(zⱼ) for draws z (B, K) of the posteriors of a batch, (B,).

    q is the mixture of the batch's M posteriors (Chen et al. 2018, equation S6, with the batch as the data): biased
    while M is small, because each row is a large part of its own mixture.
    """
    deviation = posterior.stddev
    scaled = (z[:, None] - posterior.mean) / deviation
    log_densities = -0.5 * (scaled.square() + LOG_2_PI) - torch.log(deviation)
    log_rows = math.log(len(z))
    joint = torch.logsumexp(log_densities.sum(2), dim=1) - log_rows
    return joint - (torch.logsumexp(log_densities, dim=1) - log_rows).sum(1)
