"""Which training rows look like anomalies, found before any network is trained."""

import torch
from torch import Tensor

from isthmus.tasks.anomaly.cell_histograms import CellHistograms

RIDGE = 0.1
"""What is added to the variance of each cell: the variance of the noise of a linear denoising autoencoder."""
FINE_RIDGE = 1e-3
"""The same for little noise, by which rows show that break a relation which holds to a few hundredths."""
ROUNDS, NEAREST = 5, 0.75
"""Number of rounds of trimming, and the share of the rows kept in each."""
SUSPECTED = 0.25
"""Share of the rows of a contaminated table that no network learns from."""


def unsuspected(x: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """Return which rows of x (n, C) to learn from, (n,) bool: all except the oddest `SUSPECTED`.

    A row is odd if it is far from the mean (C,) by a robust precision matrix (C, C), or has rare values; the two ranks
    are added. A network that is trained on anomalies learns them by heart, and more so the longer it is trained.
    """
    oddness = ranks(distances(x.double(), mean, precision)) + ranks(CellHistograms.of(x).surprisals(x).sum(1))
    kept = torch.zeros(len(x), dtype=torch.bool)
    kept[oddness.topk(max(2, round((1 - SUSPECTED) * len(x))), largest=False).indices] = True
    return kept


def ranks(values: Tensor) -> Tensor:
    """Return the rank of each value (n,) in ascending order."""
    return values.argsort(stable=True).argsort(stable=True)


def trimmed(x: Tensor, rounds: int, ridge: float = RIDGE) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and precision matrix (C, C) of the `NEAREST` rows of x (n, C) nearest to them, float64.

    These rows are found in rounds, by the concentration steps of the minimum covariance determinant (Rousseeuw and Van
    Driessen 1999).
    """
    x = x.double()
    mean, precision = gaussian(x, ridge)
    for _ in range(rounds):
        nearest = distances(x, mean, precision).topk(max(2, round(NEAREST * len(x))), largest=False).indices
        mean, precision = gaussian(x[nearest.sort().values], ridge)
    return mean, precision


def gaussian(x: Tensor, ridge: float = RIDGE) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and precision matrix (Σ + λI)⁻¹ (C, C) of rows x (n, C), λ being the ridge."""
    mean = x.mean(0)
    centred = x - mean
    covariance = centred.T @ centred / len(x)
    covariance.diagonal().add_(ridge)
    return mean, torch.cholesky_inverse(torch.linalg.cholesky(covariance))


def distances(x: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """Return the squared Mahalanobis distance of each row of x (n, C), (n,)."""
    centred = x - mean
    return ((centred @ precision) * centred).sum(1)
