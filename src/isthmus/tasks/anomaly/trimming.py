"""Which training rows look like anomalies, found before any network is trained."""

import torch
from torch import Tensor

from isthmus.tasks.anomaly.cell_histograms import CellHistograms
from isthmus.tasks.anomaly.ridge_normal import RidgeNormal

RIDGE = 0.1
"""What is added to the variance of each cell: the variance of the noise of a linear denoising autoencoder."""
FINE_RIDGE = 1e-3
"""The same for little noise, by which rows show that break a relation which holds to a few hundredths."""
ROUNDS, NEAREST = 5, 0.75
"""Number of rounds of trimming, and the share of the rows kept in each."""
SUSPECTED = 0.25
"""Share of the rows of a contaminated table that no network learns from."""


def unsuspected(x: Tensor, robust: RidgeNormal) -> Tensor:
    """Return which rows of x (n, C) to learn from, (n,) bool: all except the oddest `SUSPECTED`.

    A row is odd if it is far from a robust normal distribution, or has rare values; the two ranks are added. A network
    that is trained on anomalies learns them by heart, and more so the longer it is trained.
    """
    oddness = ranks(robust.distances(x)) + ranks(CellHistograms.of(x).surprisals(x).sum(1))
    kept = torch.zeros(len(x), dtype=torch.bool)
    kept[oddness.topk(max(2, round((1 - SUSPECTED) * len(x))), largest=False).indices] = True
    return kept


def ranks(values: Tensor) -> Tensor:
    """Return the rank of each value (n,) in ascending order."""
    return values.argsort(stable=True).argsort(stable=True)


def trimmed(x: Tensor, rounds: int, ridge: float = RIDGE, by: Tensor | None = None) -> RidgeNormal:
    """Return the normal distribution, with a ridge, of the `NEAREST` rows of x (n, C) nearest to it, float64.

    These rows are found in rounds, by the concentration steps of the minimum covariance determinant (Rousseeuw and Van
    Driessen 1999). Rows are near by the cells of the indices `by` alone, if these are given.
    """
    x = x.double()
    seen = x if by is None else x[:, by]
    normal = RidgeNormal.of(seen, ridge).eval()
    nearest = torch.arange(len(x))
    for _ in range(rounds):
        nearest = normal.distances(seen).topk(max(2, round(NEAREST * len(x))), largest=False).indices.sort().values
        normal = RidgeNormal.of(seen[nearest], ridge).eval()
    return normal if by is None else RidgeNormal.of(x[nearest], ridge).eval()
