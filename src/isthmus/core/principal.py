"""Principal components of data in blocks: exact for narrow data, by subspace iteration for wide data."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import scipy.linalg
import torch
from torch import Generator, Tensor

from isthmus.core.blas import BLAS_THREADS

Blocks = Callable[[], Iterable[tuple[Tensor, Tensor | None]]]
"""Each call starts a pass over the data; it yields blocks of rows (b, F) with their weights (b,) or None."""

WIDEST_EXACT = 1500
"""Most columns for which the eigenvectors of the covariance matrix cost less than a few passes over the data."""
MOST = 256
"""Number of components for wider data, if it is not given."""
LEAST_SHARE = {torch.float32: 1e-6, torch.float64: 1e-10}
"""A component with a smaller share of its columns' variance is taken for rounding, by the number type of the rows."""
LEAST_NOISE = 1e-6
"""Least variance beside the components, as a share of the columns' mean variance, for estimates of hidden cells."""
LEAST_RATIO = 1e-13
"""The same for a smaller variance relative to the greatest, which is the rounding of eigenvalues."""
LEAST_STRIP = 64
"""Least number of columns of a covariance matrix that are computed together."""


class PrincipalComponents(NamedTuple):
    """The affine subspace that is nearest to the data in mean squared error."""

    mean: Tensor
    """(F,)"""
    components: Tensor
    """(F, R) orthonormal columns by falling variance; the largest entry of each is positive."""
    variances: Tensor
    """(R,) variance along each component (divided by the total weight, without Bessel's correction)."""
    column_variances: Tensor
    """(F,) variance of each column."""
    decoder: Tensor | None = None
    """(F, R) what maps coordinates to rows minus their mean; None is the components."""

    @property
    def written(self) -> Tensor:
        """The decoder (F, R)."""
        return self.components if self.decoder is None else self.decoder

    def like(self, x: Tensor) -> "PrincipalComponents":
        """Return the components in the number type and on the device of x."""
        return self._replace(**{name: part.to(x) for name, part in self._asdict().items() if part is not None})

    def first(self, rank: int) -> "PrincipalComponents":
        """Return the leading `rank` components."""
        decoder = None if self.decoder is None else self.decoder[:, :rank]
        return self._replace(components=self.components[:, :rank], variances=self.variances[:rank], decoder=decoder)

    def residual_variances(self) -> Tensor:
        """Return the variance of each column that the components do not explain, (F,)."""
        return (self.column_variances - self.components.square() @ self.variances).clamp_min(0)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Decode the coordinates of rows x (B, F); by the components, this projects onto the subspace."""
        return (x - self.mean) @ self.components @ self.written.T + self.mean

    def denoised(self, x: Tensor, noise: float) -> Tensor:
        """Return the linear estimate of rows from rows x (B, F) with independent noise of a variance: λ/(λ + σ²)."""
        return ((x - self.mean) @ self.components * self.kept(noise)) @ self.components.T + self.mean

    def kept(self, noise: float) -> Tensor:
        """Return the share λ/(λ + σ²) of each coordinate, (R,), that the Wiener filter keeps under noise σ²."""
        return self.variances / (self.variances + noise) if noise > 0 else torch.ones_like(self.variances)

    def filled(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return what the normal distribution of these components expects of rows x (B, F), given what is not hidden.

        Its covariance is P diag(λ - s) Pᵀ + s I, with the mean residual variance s: probabilistic PCA (Tipping and
        Bishop 1999). `hidden` (B, F) is 1 where x says nothing, else 0.
        """
        noise = self.residual_variances().mean().clamp_min(LEAST_NOISE * self.column_variances.mean())
        own = (self.variances - noise).clamp_min(LEAST_NOISE * noise)
        seen = 1 - hidden
        rank = self.components.shape[1]
        pairs = (self.components[:, :, None] * self.components[:, None, :]).flatten(1)
        systems = (seen @ pairs).view(len(x), rank, rank) + torch.diag(noise / own)
        coordinates = torch.linalg.solve(systems, (seen * (x - self.mean)) @ self.components)
        return coordinates @ self.components.T + self.mean

    def rank(self, dtype: torch.dtype) -> int:
        """Return the number of components that have variance, beyond the rounding of rows of this number type.

        A component has none if its variance is far below that which its columns would give it if they were
        uncorrelated: cells that add up to 1, duplicated and constant columns.
        """
        eps = torch.finfo(dtype).eps
        squares = self.components.square().T
        own = LEAST_SHARE[dtype] * (squares @ self.column_variances)
        rounding = squares @ (10 * eps * self.mean).square()
        of_sums = LEAST_RATIO * self.variances.max() if len(self.variances) else 0.0
        return int((self.variances > own + rounding + of_sums).sum())

    def rank_for(self, share: float) -> int:
        """Return the least number of components, at least 1, that explain the `share` of the variance."""
        explained = self.variances.cumsum(0)
        wanted = share * self.column_variances.sum()
        return int((explained < wanted * (1 - 1e-9)).sum().clamp(0, len(self.variances) - 1)) + 1


def principal_components(
    blocks: Blocks, features: int, rank: int | None = None, generator: Generator | None = None
) -> PrincipalComponents:
    """Find the leading principal components of data in blocks.

    Up to 1,500 columns this takes one pass over the data, above that five (randomised subspace iteration, Halko,
    Martinsson and Tropp 2011, algorithm 4.4). Sums are kept in float64; products have the precision of the blocks.

    Parameters
    ----------
    blocks
        Starts a pass over the data.
    features
        F.
    rank
        R; by default all components, and 256 above 1,500 columns.
    generator
        For the first basis of subspace iteration.
    """
    if features <= WIDEST_EXACT:
        mean, components, variances, column_variances = from_covariance(blocks, features, rank or features)
    else:
        mean, total = weighted_mean(blocks, features)
        components, variances, column_variances = from_subspace(blocks, mean, total, rank or MOST, generator)
    return by_variance(mean, components, variances, column_variances)


def by_variance(mean: Tensor, components: Tensor, variances: Tensor, column_variances: Tensor) -> PrincipalComponents:
    """Return the components with signs that make the largest entry of each positive."""
    largest = components.gather(0, components.abs().argmax(0, keepdim=True))
    components = components * torch.where(largest < 0, -1.0, 1.0)
    return PrincipalComponents(mean, components, variances.clamp_min(0), column_variances, components)


def weighted_mean(blocks: Blocks, features: int) -> tuple[Tensor, Tensor]:
    """Return the mean row (F,) and the total weight, in float64."""
    total = torch.zeros((), dtype=torch.float64)
    summed = torch.zeros(features, dtype=torch.float64)
    for x, weight in blocks():
        weight = torch.ones(len(x), dtype=x.dtype, device=x.device) if weight is None else weight.to(x.dtype)
        total += weight.sum().cpu().double()
        summed += (weight @ x).cpu().double()
    return summed / total, total


def from_covariance(blocks: Blocks, features: int, rank: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the mean, eigenvectors (F, rank), eigenvalues and diagonal of the covariance matrix."""
    mean, covariance = mean_and_covariance(blocks, features)
    column_variances = covariance.diagonal().clone()
    variances, components = leading_eigenvectors(covariance, min(rank, features))
    return mean, components, variances, column_variances


def leading_eigenvectors(symmetric: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return the largest eigenvalues (rank,), falling, and their eigenvectors (F, rank); the matrix is overwritten."""
    size = len(symmetric)
    if rank == size:
        variances, components = torch.linalg.eigh(symmetric)
    else:  # Half the time and a third of the memory.
        with BLAS_THREADS.held():
            found = scipy.linalg.eigh(
                symmetric.numpy().T, subset_by_index=(size - rank, size - 1), overwrite_a=True, check_finite=False
            )
        variances, components = map(torch.from_numpy, found)
    return variances.flip(0), components.flip(1)


def mean_and_covariance(blocks: Blocks, features: int) -> tuple[Tensor, Tensor]:
    """Return the mean row (F,) and covariance matrix (F, F) in one pass, relative to the mean of the first block.

    Only strips on and above the diagonal are multiplied: with four strips, five eighths of the products.
    """
    centre: Tensor | None = None
    total, summed = torch.zeros((), dtype=torch.float64), torch.zeros(features, dtype=torch.float64)
    second_moments = torch.zeros(features, features, dtype=torch.float64)
    step = max(LEAST_STRIP, -(-features // 4))
    for x, weight in blocks():
        if centre is None:
            centre = x.mean(0)
        centred = x - centre
        weighted = centred if weight is None else centred * weight.to(x)[:, None]
        total += len(x) if weight is None else weight.sum().cpu().double()
        summed += weighted.sum(0).cpu().double()
        for start in range(0, features, step):
            strip = weighted[:, start : start + step].T @ centred[:, start:]
            second_moments[start : start + step, start:] += strip.cpu()
    assert centre is not None, "there is a first block"
    drift = summed / total
    for start in range(0, features, step):
        stop = min(start + step, features)
        second_moments[stop:, start:stop] = second_moments[start:stop, stop:].T
        square = second_moments[start:stop, start:stop]
        square.copy_(square.triu() + square.triu(1).T)
    return centre.cpu().double() + drift, second_moments.div_(total).addr_(drift, drift, alpha=-1)


def from_subspace(
    blocks: Blocks, mean: Tensor, total: Tensor, rank: int, generator: Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return eigenvectors, eigenvalues and column variances by subspace iteration, without a matrix (F, F)."""
    column_variances = torch.zeros(len(mean), dtype=torch.float64)

    def times(basis: Tensor) -> Tensor:
        """Return the covariance matrix times a basis (F, width), in one pass."""
        product = torch.zeros_like(basis)
        column_variances.zero_()
        for x, weight in blocks():
            centred = x - mean.to(x.dtype).to(x.device)
            weighted = centred if weight is None else centred * weight.to(x)[:, None]
            product += (weighted.T @ (centred @ basis.to(x.dtype).to(x.device))).cpu().double()
            column_variances.add_((weighted * centred).sum(0).cpu().double())
        return product / total

    components, variances = subspace(times, len(mean), rank, generator)
    return components, variances, column_variances / total


def subspace(
    times: Callable[[Tensor], Tensor], features: int, rank: int, generator: Generator | None, passes: int = 4
) -> tuple[Tensor, Tensor]:
    """Return the leading eigenvectors (F, R) and eigenvalues (R,) of a matrix (F, F) from its products with bases.

    Parameters
    ----------
    times
        Maps a basis (F, width) to the product of the symmetric matrix with it, in float64; called `passes` times.
    features, rank
        F and R; R is at most F.
    generator
        For the first basis.
    passes
        Number of iterations.
    """
    generator = generator or Generator().manual_seed(0)
    width = min(rank + 10, features)
    basis = torch.linalg.qr(torch.randn(features, width, dtype=torch.float64, generator=generator))[0]
    for _ in range(passes):
        product = times(basis)
        small = basis.T @ product
        variances, rotation = torch.linalg.eigh((small + small.T) / 2)
        ritz = basis @ rotation
        basis = torch.linalg.qr(product)[0]
    rank = min(rank, features)
    return ritz.flip(1)[:, :rank], variances.flip(0)[:rank]
