"""What is known of the columns of a sparse table, from what it keeps alone."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse
import torch

from isthmus.data.scaling import Summary

ENTRIES = 2**20
"""Entries that are looked at together."""


def summary(table: scipy.sparse.csr_array, weight: np.ndarray | None = None) -> Summary:
    """Mean, variance, least and greatest value of every column; the zeros that are not kept count as zeros.

    Two passes over the entries in float64, as `Rows.summary` makes them over all cells, with the same numbers to
    rounding.

    Parameters
    ----------
    table
        (n, F) CSR in which no cell is kept twice.
    weight
        (n,) weights of the rows, or None for equal ones.
    """
    rows, columns = table.shape
    total = float(rows) if weight is None else float(weight.sum(dtype=np.float64))
    summed, kept, smallest, largest = np.zeros(columns), np.zeros(columns), np.zeros(columns), np.zeros(columns)
    smallest[:], largest[:] = np.inf, -np.inf
    count, whole = np.zeros(columns, dtype=np.int64), np.ones(columns, dtype=bool)
    for at, values, weights in entries(table, weight):
        count += np.bincount(at, minlength=columns)
        kept += np.bincount(at, weights, columns)
        summed += np.bincount(at, values if weights is None else values * weights, columns)
        np.minimum.at(smallest, at, values)
        np.maximum.at(largest, at, values)
        whole[at[values != np.rint(values)]] = False
    full = count == rows
    zeros = np.where(full, 0.0, total - kept)
    smallest, largest = (
        np.where(full, ends, nearest(ends, 0)) for ends, nearest in ((smallest, np.minimum), (largest, np.maximum))
    )
    mean = summed / total
    drift, squares = -zeros * mean, zeros * mean**2
    for at, values, weights in entries(table, weight):
        difference = values - mean[at]
        weighted = difference if weights is None else difference * weights
        drift += np.bincount(at, weighted, columns)
        squares += np.bincount(at, weighted * difference, columns)
    drift /= total
    variance = np.maximum(squares / total - drift**2, 0)
    return Summary(*map(torch.from_numpy, (mean + drift, variance, smallest, largest, whole)))


def entries(
    table: scipy.sparse.csr_array, weight: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Pass over what is kept: columns, values in float64, and the weights of their rows."""
    for start in range(0, table.nnz, ENTRIES):
        stop = min(start + ENTRIES, table.nnz)
        weights = None
        if weight is not None:
            weights = weight[np.searchsorted(table.indptr, np.arange(start, stop), side="right") - 1]
        yield table.indices[start:stop], table.data[start:stop].astype(np.float64), weights
