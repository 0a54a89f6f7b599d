"""Inference in blocks of one constant size: memory is bounded, and a row's result does not depend on other rows.

The order in which a matrix product sums depends on the shape of its operands. With every block padded to the same
shape, a row gives the same bits whether it comes alone, first, last or among a million others.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.table import Index

BLOCK = 256
"""Rows per block: enough to keep the processor busy, few enough to answer a single row in a millisecond or two."""


def map_rows(function: Callable[[Tensor], Tensor], rows: Rows, columns: int | None) -> np.ndarray:
    """Apply `function` to the rows, block by block.

    Parameters
    ----------
    function
        Maps (BLOCK, F) to (BLOCK, columns), or to (BLOCK,) if columns is None, each row independently.
    rows
        The n rows.
    columns
        Number of columns of the result; None for one number per row.

    Returns
    -------
    ndarray of shape (n, columns) or (n,), of the number type that the function returns
    """
    count = len(rows)
    result: np.ndarray | None = None
    with torch.no_grad():
        for start in range(0, count, BLOCK):
            stop = min(start + BLOCK, count)
            # Always a fresh block: the caller's own memory may lie in another order or at another alignment.
            raw = rows.table.new_empty(BLOCK, rows.features)
            raw[: stop - start] = rows.table[start:stop]
            raw[stop - start :] = raw[0]
            block = function(rows.scaled(raw))[: stop - start].cpu().numpy()
            if result is None:
                result = np.empty((count,) if columns is None else (count, columns), dtype=block.dtype)
            result[start:stop] = block
    assert result is not None, "validation refuses empty tables"
    return result


def mean_squared_error(network: Network, rows: Rows, index: Index) -> float:
    """Return the mean squared error over the rows of that index, in the network's units, with drawn codes."""
    return float(column_errors(network, rows, index).mean())


@torch.no_grad()
def loss_ratio(network: Network, rows: Rows, index: Index) -> float | None:
    """Return the mean deviance ratio over the rows of that index; None if the likelihood does not train by it."""
    found, weights = [], []
    for chunk in index.split(rows.block):
        x, weight = rows.batch(chunk)
        shares = network.likelihood.loss_ratios(x, network(x).theta)
        if shares is None:
            return None
        found.append(shares.double())
        weights.append(torch.ones_like(found[-1]) if weight is None else weight.double())
    return float(torch.cat(found) @ torch.cat(weights) / torch.cat(weights).sum())


@torch.no_grad()
def column_errors(network: Network, rows: Rows, index: Index) -> Tensor:
    """Return the mean squared error of each column, (F,) float64, over the cells of those rows that have a value."""
    total = weights = torch.zeros((), dtype=torch.float64)
    network.seed(Generator(rows.device).manual_seed(0))
    for chunk in index.split(rows.block):
        x, weight = rows.batch(chunk)
        errors = (x - network.likelihood.reconstruct(x, network.decoder(network.encode(x).z))).square().double()
        counted = (~errors.isnan()).double() * (1.0 if weight is None else weight.double()[:, None])
        total = total + (errors.nan_to_num(0) * counted).sum(0).cpu()
        weights = weights + counted.sum(0).cpu()
    network.seed(None)
    return total / weights.clamp_min(1e-300)
