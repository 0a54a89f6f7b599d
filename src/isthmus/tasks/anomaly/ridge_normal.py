"""`RidgeNormal`: a normal distribution with a ridge on its variances, and the distance of rows from it."""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn

from isthmus.core.modules import affine

DENSE = 1000
"""Number of cells up to which the precision matrix is kept as it is, however few rows there are."""


class RidgeNormal(nn.Module):
    """N(μ, Σ + λI), with P = (Σ + λI)⁻¹.

    Where there are more cells C than rows n, Σ has a rank of at most n, and P = I/λ - RRᵀ with R (C, n): memory grows
    with the rows, not with the square of the cells (the Woodbury identity).

    Parameters
    ----------
    mean
        (C,) μ.
    factor
        (C, C) P, or (C, r) R.
    ridge
        () λ if the factor is R, NaN if it is P.

    Examples
    --------
    >>> normal = RidgeNormal.of(torch.tensor([[-1.0], [1.0]]).double(), ridge=1.0)
    >>> normal.distances(torch.tensor([[2.0]]).double()).round(decimals=6).tolist()
    [2.0]
    """

    def __init__(self, mean: Tensor, factor: Tensor, ridge: Tensor) -> None:
        super().__init__()
        self.mean, self.factor, self.ridge = nn.Buffer(mean), nn.Buffer(factor), nn.Buffer(ridge)
        self.low_rank = not bool(ridge.isnan())

    @classmethod
    def of(cls, x: Tensor, ridge: float) -> Self:
        """Fit to rows x (n, C)."""
        mean = x.mean(0)
        centred = x - mean
        if x.shape[1] > max(DENSE, len(x)):
            return cls(mean, low_rank_root(centred, ridge), torch.tensor(ridge, dtype=x.dtype))
        covariance = centred.T @ centred / len(x)
        covariance.diagonal().add_(ridge)
        precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        return cls(mean, precision, torch.tensor(torch.nan, dtype=x.dtype))

    def deviations(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return d = x - μ and dP of rows x (B, C), (B, C) each."""
        centred = x.to(self.mean.dtype) - self.mean
        if not self.low_rank:
            return centred, affine(centred, self.factor, None, self.training)
        within = affine(centred, self.factor.T, None, self.training)
        return centred, centred / self.ridge - affine(within, self.factor, None, self.training)

    def distances(self, x: Tensor) -> Tensor:
        """Return dᵀPd of rows x (B, C), (B,)."""
        centred, whitened = self.deviations(x)
        return (centred * whitened).sum(1)

    def log_distances(self, x: Tensor) -> Tensor:
        """Return log dᵀPd of rows x (B, C), (B,)."""
        return self.distances(x).clamp_min(1e-12).log()

    def diagonal(self) -> Tensor:
        """Return the diagonal of P, (C,)."""
        if not self.low_rank:
            return self.factor.diagonal()
        return 1 / self.ridge - self.factor.square().sum(1)

    def within(self, block: Tensor) -> Tensor:
        """Return P among some of the cells, (b, b), given their indices (b,)."""
        if not self.low_rank:
            return self.factor[block][:, block]
        root = self.factor[block]
        return torch.eye(len(block)).to(root) / self.ridge - root @ root.T

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor], prefix: str) -> Self:
        """Rebuild a distribution from the weights whose names begin so."""
        return cls(*(weights[prefix + name] for name in ("mean", "factor", "ridge")))


def low_rank_root(centred: Tensor, ridge: float) -> Tensor:
    """Return R (C, r) with (Σ + λI)⁻¹ = I/λ - RRᵀ, of rows (n, C) without their mean."""
    rows = len(centred)
    variances, along = torch.linalg.eigh(centred @ centred.T / rows)
    kept = variances > variances[-1] * 1e-12
    variances, along = variances[kept], along[:, kept]
    # An eigenvector of Σ is centredᵀu/√(n s); 1/λ - 1/(s + λ) = s/(λ(s + λ)) is what P loses along it.
    return centred.T @ (along / (rows * ridge * (variances + ridge)).sqrt())
