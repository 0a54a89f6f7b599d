"""Divergences between distributions, in closed form or estimated from samples."""

import torch
from torch import Tensor
from torch.distributions import Normal

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Scales of the inverse multiquadratic kernel."""
CELLS = 2**23
"""Numbers that `pairwise_information` holds in memory at a time."""
BANDWIDTH = 0.4
"""Standard deviations of the noise in `pairwise_information`: Silverman's rule for two numbers and 250 rows."""


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


def pairwise_information(z: Tensor, posterior: Normal, weight: Tensor | None = None) -> Tensor:
    """Estimate Σ_{j<k} I(zⱼ; zₖ) for draws z (B, K) of the posteriors of a batch, (B,), in nats.

    It is the total correlation KL(q(z) ‖ Πⱼ q(zⱼ)) to second order: what triples and more share is left out. With noise
    of 0.4 standard deviations on each coordinate, which makes no independent coordinates dependent and no dependent
    ones independent, densities of two numbers are well estimated by the mixture of the batch's posteriors, weighted by
    `weight` (B,). The density of all K numbers is not: in many dimensions a row is the only one near its own code,
    log q(z) becomes log q(z|x) - log B, and the estimate of Chen et al. (2018, equation S6) Σⱼ I(zⱼ; x) - log B, which
    is information, not dependence.
    """
    z, mean, deviation = precise(z), precise(posterior.mean), precise(posterior.stddev)
    share = torch.ones_like(z[:, 0]) if weight is None else weight.to(z)
    share = (share / share.sum())[:, None]
    spread = (share * (z - (share * z).sum(0)).square()).sum(0).clamp_min(torch.finfo(z.dtype).tiny).sqrt()
    width = BANDWIDTH * spread
    wider = torch.hypot(deviation, width)
    # The draws that the same noise gives with the wider posteriors.
    z = mean + wider * ((z - mean) / deviation)
    # A density is exp(level - ½(z/wider - place)²), without factors that both sides of the ratio have. It holds the
    # root of the row's share, so that a product of two holds the share.
    narrowness, place, level = 1 / wider, mean / wider, torch.log(width / wider) + 0.5 * torch.log(share)
    pieces = z.split(max(1, CELLS // (z.shape[1] * max(z.shape))))
    with torch.autocast(z.device.type, enabled=False):
        return torch.cat([ratios(rows, narrowness, place, level, share.sqrt()) for rows in pieces])


def ratios(z: Tensor, narrowness: Tensor, place: Tensor, level: Tensor, root: Tensor) -> Tensor:
    """Return Σ_{j<k} log q(zⱼ, zₖ)/(q(zⱼ)q(zₖ)) for codes z (B, K) under a mixture of M rows, (B,).

    `root` (M, 1) are the roots of their shares; the other arguments are (M, K), and define the densities.
    """
    distance = torch.addcmul(-place, z[:, None], narrowness)
    densities = torch.addcmul(level, distance, distance, value=-0.5).exp()
    together = torch.log(densities.transpose(1, 2) @ densities).triu(1).sum((1, 2))
    alone = torch.log(root.T @ densities).sum((1, 2))
    return together - (z.shape[1] - 1) * alone
