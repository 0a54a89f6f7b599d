"""Which training rows look like anomalies, told before any network is trained."""

import torch
from torch import Tensor

from isthmus.tasks.anomaly.histograms import Histograms

RIDGE = 0.1
"""What is added to the variance of each cell: that of the noise of a linear denoising autoencoder."""
ROUNDS, NEAREST = 5, 0.75
"""How often the rows that fit worst are left out, and the share that stays."""
SUSPECTED = 0.25
"""Share of the rows of a contaminated table from which no network learns."""


def unsuspected(x: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """Return which rows of x (n, C) to learn from, (n,) bool: all but the `SUSPECTED` most odd.

    Odd are those far from the mean (C,) by a robust precision (C, C), and those of rare values; ranks are added up. A
    network that is trained on anomalies learns them by heart, the more so the longer it is trained.
    """
    odd = ranks(distances(x.double(), mean, precision)) + ranks(Histograms(x).surprises(x).sum(1))
    kept = torch.zeros(len(x), dtype=torch.bool)
    kept[odd.topk(max(2, round((1 - SUSPECTED) * len(x))), largest=False).indices] = True
    return kept


def ranks(values: Tensor) -> Tensor:
    """Return the place of each value (n,) in rising order."""
    return values.argsort(stable=True).argsort(stable=True)


def trimmed(x: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and precision (C, C) of the `NEAREST` rows of x (n, C) nearest to them, float64.

    Found in rounds, as the concentration steps of the minimum covariance determinant (Rousseeuw and Van Driessen 1999).
    """
    x = x.double()
    mean, precision = gaussian(x)
    for _ in range(rounds):
        nearest = distances(x, mean, precision).topk(max(2, round(NEAREST * len(x))), largest=False).indices
        mean, precision = gaussian(x[nearest.sort().values])
    return mean, precision


def gaussian(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and (Σ + λI)⁻¹ (C, C) of rows x (n, C)."""
    mean = x.mean(0)
    centred = x - mean
    covariance = centred.T @ centred / len(x)
    covariance.diagonal().add_(RIDGE)
    return mean, torch.cholesky_inverse(torch.linalg.cholesky(covariance))


def distances(x: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """Return the squared Mahalanobis distance of each row of x (n, C), (n,)."""
    centred = x - mean
    return ((centred @ precision) * centred).sum(1)
