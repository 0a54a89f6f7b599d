"""Principal components of wide sparse tables, from products with the stored entries only."""

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.principal import MOST, PrincipalComponents, by_variance, subspace
from isthmus.data.moments import summarise_sparse
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling

TOGETHER = 2**14
"""Rows that are multiplied together."""


def sparse_principal_components(
    rows: Rows, index: Tensor, rank: int | None = None, generator: Generator | None = None
) -> PrincipalComponents:
    """Find the leading `rank` (by default 256) principal components of a sparse table, in the network's units.

    The method is randomised subspace iteration, as in `principal_components` for dense rows, but no row becomes dense.
    With the stored table A, the weights W of its rows, and the mean m and the scale s of its columns, the covariance
    matrix times a basis B is

        S (Aᵀ - m 1ᵀ) W (A - 1 mᵀ) S B / Σw,    S = diag(1/s).

    All computations are in float64.

    Parameters
    ----------
    rows : Rows
        Rows of a sparse table, on the CPU.
    index : Tensor of shape (n,)
        The positions of the rows to use.
    rank : int, optional
        Number of components.
    generator : torch.Generator, optional
        Draws the first basis.

    References
    ----------
    Halko, Martinsson and Tropp (2011), "Finding structure with randomness", SIAM Review 53(2).
    """
    assert rows.table.sparse, "dense rows come in blocks"
    assert rows.scaling is None or isinstance(rows.scaling, AffineScaling), "sparse tables hold numbers only"
    table = rows.table.drawn(index.numpy())
    weight = None if rows.weight is None else rows.weight[index].double().numpy()
    found = summarise_sparse(table, weight)
    total = float(len(index)) if weight is None else weight.sum()
    scaling = rows.scaling
    scale = torch.ones_like(found.mean) if scaling is None else scaling.scale
    shift = torch.zeros_like(found.mean) if scaling is None else scaling.shift
    mean = found.mean.numpy()

    def times(basis: Tensor) -> Tensor:
        """Return the covariance matrix times a basis, (F, width) each."""
        scaled = np.ascontiguousarray((basis / scale[:, None]).numpy())
        middle, product = mean @ scaled, np.zeros_like(scaled)
        for start in range(0, table.shape[0], TOGETHER):
            some = table[start : start + TOGETHER].astype(np.float64)
            scores = some @ scaled - middle
            if weight is not None:
                scores *= weight[start : start + TOGETHER, None]
            product += some.T @ scores - np.outer(mean, scores.sum(0))
        return torch.from_numpy(product) / total / scale[:, None]

    components, variances = subspace(times, len(mean), rank or MOST, generator)
    centre, spread = (found.mean - shift) / scale, found.variance / scale.square()
    return by_variance(centre, components, variances, spread)
