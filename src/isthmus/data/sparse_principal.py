"""Principal components of wide sparse tables: products with what is kept, and the centring by one row more."""

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.principal import MOST, PrincipalComponents, by_variance, subspace
from isthmus.data.moments import summarise_sparse
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.data.sparse import SparseTable

TOGETHER = 2**14
"""Rows of which the products are made together."""


def sparse_principal_components(
    rows: Rows, index: Tensor, rank: int | None = None, generator: Generator | None = None
) -> PrincipalComponents:
    """Find the leading `rank` (by default 256) principal components of a sparse table, in the network's units.

    By randomised subspace iteration, as `principal_components` finds them of dense rows, but no row becomes dense: with
    the mean m and the scale s of the columns, the covariance matrix times a basis B is

        S (Aᵀ - m 1ᵀ) W (A - 1 mᵀ) S B / Σw,    S = diag(1/s),

    A the table as it is kept and W the weights of its rows. In float64.

    Parameters
    ----------
    rows
        Of which the table is sparse and on the processor.
    index
        Which of them, (n,).
    rank
        How many components.
    generator
        For the first basis.
    """
    assert isinstance(rows.raw, SparseTable), "dense rows come in blocks"
    assert rows.scaling is None or isinstance(rows.scaling, AffineScaling), "sparse tables hold numbers only"
    table = rows.raw.table[index.numpy()]
    weight = None if rows.weight is None else rows.weight[index].double().numpy()
    found = summarise_sparse(table, weight)
    total = float(len(index)) if weight is None else weight.sum()
    scaling = rows.scaling
    scale = torch.ones_like(found.mean) if scaling is None else scaling.scale
    shift = torch.zeros_like(found.mean) if scaling is None else scaling.shift
    mean = found.mean.numpy()

    def times(basis: Tensor) -> Tensor:
        """(F, width) to the covariance matrix times it."""
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
