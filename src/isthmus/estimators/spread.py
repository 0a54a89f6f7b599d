"""Variances after training: from the rows that were held out, or else from training rows, corrected for the fit."""

import torch
from torch import Tensor

from isthmus.core.held_out_variances import held_out_variances, variances_without_held_out
from isthmus.core.network import Network
from isthmus.core.resolution import resolution_variances
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.inference import column_errors, loss_ratio

MOST, MOST_CELLS, LEAST = 2048, 2**20, 256
"""Training rows that are looked at, and their cells, at most; and rows at least."""


def some_of(training: Index, cells: int) -> Tensor:
    """Return the positions of as many training rows as are looked at, for rows of that many cells."""
    return training[: max(LEAST, min(MOST, MOST_CELLS // cells))]


def fix_held_out_variance(network: Network, rows: Rows, training: Index, validation: Tensor) -> None:
    """Set optimal variances to what errors of new rows are expected to be, and no lower than the columns' resolution.

    Parameters
    ----------
    network
        Trained.
    rows
        All rows.
    training, validation
        Positions of the rows that were trained on, and of those that were not.
    """
    network.eval()
    some = some_of(training, rows.batch(training[:1])[0].shape[1])
    index = validation if len(validation) else some
    ratio = loss_ratio(network, rows, index)
    if ratio is not None:
        network.likelihood.set_loss_ratio(ratio)
    errors = column_errors(network, rows, some)
    x, weight = rows.batch(some)
    full = x.cpu()
    own = column_variances(full, weight)
    if len(validation):
        held_out = column_errors(network, rows, validation)
        expected = held_out_variances(held_out, len(validation), errors, len(some), own)
    else:
        expected = variances_without_held_out(errors, different_rows(full, len(training)), network.code.latent, own)
    # A column that hardly ever leaves one value must not make the variance that all share larger than its own.
    resolution = torch.minimum(resolution_variances(full), own)
    network.likelihood.set_spread(torch.maximum(expected, resolution))


def different_rows(x: Tensor, rows: int) -> float:
    """Return how many different rows a table of that many has, by some of them, x (n, F): a copy is no evidence."""
    return rows * len(torch.unique(x.nan_to_num(0), dim=0)) / len(x)


def column_variances(x: Tensor, weight: Tensor | None) -> Tensor:
    """Return the variance of each column of rows (n, F), (F,) float64, over the cells that are there."""
    wide = x.double()
    counted = (~wide.isnan()).double() * (1.0 if weight is None else weight.cpu().double()[:, None])
    total = counted.sum(0).clamp_min(1e-300)
    mean = (wide.nan_to_num(0) * counted).sum(0) / total
    found: Tensor = ((wide.nan_to_num(0) - mean).square() * counted).sum(0) / total
    return found
