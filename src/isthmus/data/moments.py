"""Statistics of columns: mean, variance, smallest and largest value, in float64, for dense, sparse and streamed tables.

Every statistic that the library computes before training comes from here:

- `summarise` passes twice over the blocks of a dense table;
- `summarise_sparse` passes twice over the stored entries of a sparse one;
- `RunningMoments` passes once over rows that arrive in blocks;
- `Moments` does the same for the values of a single column, with numpy.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

LEAST_BLOCK, BLOCK_CELLS = 16, 2**17
"""The least number of rows, and the approximate number of cells, that are processed together."""
ENTRIES = 2**20
"""Stored entries of a sparse table that are processed together."""


class Ends(NamedTuple):
    """The smallest and the largest value of columns, (F,) each, in float64, and whether all are whole numbers."""

    smallest: Tensor
    largest: Tensor
    whole: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> "Ends":
        """Return those of rows (n, F); missing cells, NaN, do not count."""
        values = rows.double()
        missing = values.isnan()
        smallest = torch.where(missing, torch.inf, values).amin(0)
        largest = torch.where(missing, -torch.inf, values).amax(0)
        return cls(smallest, largest, (missing | (values == values.round())).all(0))


class Summary(NamedTuple):
    """What is known about the columns before training, (F,) each, in float64."""

    mean: Tensor
    variance: Tensor
    smallest: Tensor
    largest: Tensor
    whole: Tensor
    """Whether every value is a whole number; bool."""

    @property
    def ends(self) -> Ends:
        """The ends of the columns' ranges."""
        return Ends(self.smallest, self.largest, self.whole)

    @property
    def binary(self) -> bool:
        """Whether every value of every column is 0 or 1."""
        return bool(self.whole.all() and self.smallest.min() >= 0 and self.largest.max() <= 1)


def summarise(
    blocks: Callable[[], Iterator[tuple[Tensor, Tensor]]],
    features: int,
    fractions: bool = True,
    device: torch.device | str = "cpu",
) -> Summary:
    """Return the statistics of a dense table, in two passes over its blocks.

    Parameters
    ----------
    blocks : callable
        Starts a new pass over the table: pairs of rows (b, F) in float64 and their weights (b,) in float64.
    features : int
        Number of columns F.
    fractions : bool, default=True
        Whether the table may hold fractions; False spares the check of tables of integers.
    device : torch.device or str, default="cpu"
        Where the blocks are.

    Returns
    -------
    Summary
        On the CPU.

    Examples
    --------
    >>> X = torch.tensor([[1.0], [2.0], [6.0]], dtype=torch.float64)
    >>> found = summarise(lambda: iter([(X, torch.ones(3, dtype=torch.float64))]), features=1)
    >>> found.mean, found.variance
    (tensor([3.], dtype=torch.float64), tensor([4.6667], dtype=torch.float64))
    """
    total, mean = 0.0, torch.zeros(features, dtype=torch.float64, device=device)
    smallest, largest = torch.full_like(mean, np.inf), torch.full_like(mean, -np.inf)
    whole = torch.ones_like(mean, dtype=torch.bool)
    for rows, weight in blocks():
        total += weight.sum().item()
        mean += weight @ rows
        smallest = torch.minimum(smallest, rows.amin(0))
        largest = torch.maximum(largest, rows.amax(0))
        if fractions:
            whole &= (rows == rows.round()).all(0)
    mean /= total
    # The sum of many rows carries a rounding error: the second pass removes it from the mean and from the variance.
    drift, variance = torch.zeros_like(mean), torch.zeros_like(mean)
    for rows, weight in blocks():
        drift += weight @ (rows - mean)
        variance += weight @ (rows - mean).square()
    drift /= total
    mean, variance = mean + drift, (variance / total - drift.square()).clamp_min(0)
    return Summary(mean.cpu(), variance.cpu(), smallest.cpu(), largest.cpu(), whole.cpu())


def summarise_sparse(table: scipy.sparse.csr_array, weight: np.ndarray | None = None) -> Summary:
    """Return the statistics of a sparse table; zeros that are not stored count as zeros.

    Makes two passes over the stored entries. The numbers are those of `summarise` on the dense table, up to rounding.

    Parameters
    ----------
    table : csr_array of shape (n, F)
        No cell may be stored twice.
    weight : ndarray of shape (n,), optional
        Weights of the rows; None for equal ones.
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
    """Iterate over the stored entries: their columns, their values in float64, and the weights of their rows."""
    for start in range(0, table.nnz, ENTRIES):
        stop = min(start + ENTRIES, table.nnz)
        weights = None
        if weight is not None:
            weights = weight[np.searchsorted(table.indptr, np.arange(start, stop), side="right") - 1]
        yield table.indices[start:stop], table.data[start:stop].astype(np.float64), weights


class RunningMoments:
    """Mean, variance, smallest and largest value of every column, over rows that arrive in blocks.

    Means and sums of squares of blocks are merged in float64 as in Chan, Golub and LeVeque (1983), "Algorithms for
    computing the sample variance", equation 1.5.

    Parameters
    ----------
    features : int
        Number of columns F.

    Attributes
    ----------
    total : float
        The sum of the weights of all rows so far.
    mean, squares, smallest, largest : Tensor of shape (F,)
        Float64; `squares` is the weighted sum of squared deviations from the mean.
    whole : Tensor of shape (F,)
        Whether every value so far is a whole number; bool.

    Examples
    --------
    >>> running = RunningMoments(1)
    >>> for block in ([[1.0], [2.0]], [[6.0]]):
    ...     running.add(torch.tensor(block, dtype=torch.float64))
    >>> running.summary.mean, running.summary.variance
    (tensor([3.], dtype=torch.float64), tensor([4.6667], dtype=torch.float64))
    """

    def __init__(self, features: int) -> None:
        self.total = 0.0
        self.mean = torch.zeros(features, dtype=torch.float64)
        self.squares = torch.zeros_like(self.mean)
        self.smallest = torch.full_like(self.mean, np.inf)
        self.largest = torch.full_like(self.mean, -np.inf)
        self.whole = torch.ones_like(self.mean, dtype=torch.bool)

    def add(self, x: Tensor, weight: Tensor | None = None, fractions: bool = True) -> None:
        """Add rows (b, F) in float64 with weights (b,); `fractions=False` states that all are whole numbers."""
        if not len(x):
            return
        weights = torch.ones_like(x[:, 0]) if weight is None else weight.double()
        total = float(weights.sum())
        mean = weights @ x / total
        centred = x - mean
        other = RunningMoments(len(mean))
        other.total, other.mean, other.squares = total, mean, weights @ centred.square_()
        other.smallest, other.largest = x.amin(0), x.amax(0)
        if fractions:
            other.whole = (x == x.round()).all(0)
        self.join(other)

    def add_rows(self, rows: Tensor, weight: Tensor | None = None) -> None:
        """Add rows (n, F) of any number type with weights (n,), converted to float64 one block at a time."""
        size = block_rows(rows.shape[1])
        for start in range(0, len(rows), size):
            some = None if weight is None else weight[start : start + size]
            self.add(rows[start : start + size].double(), some, rows.dtype.is_floating_point)

    def join(self, other: "RunningMoments") -> None:
        """Add the rows that another instance has seen."""
        share = other.total / (self.total + other.total)
        away = other.mean - self.mean
        self.squares = self.squares + other.squares + away.square() * (self.total * share)
        self.mean = self.mean + away * share
        self.total += other.total
        self.smallest = torch.minimum(self.smallest, other.smallest)
        self.largest = torch.maximum(self.largest, other.largest)
        self.whole = self.whole & other.whole

    @property
    def summary(self) -> Summary:
        """The statistics of all rows so far."""
        return Summary(
            self.mean.clone(),
            (self.squares / self.total).clamp_min(0),
            self.smallest.clone(),
            self.largest.clone(),
            self.whole.clone(),
        )


class Moments(NamedTuple):
    """Total weight, mean and sum of squared deviations of the values of one column.

    Merged as in Chan, Golub and LeVeque (1983).

    Examples
    --------
    >>> Moments().including(np.array([1.0, 2.0])).including(np.array([6.0]))
    Moments(weight=3.0, mean=3.0, squares=14.0)
    """

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def including(self, values: np.ndarray, weight: np.ndarray | None = None) -> "Moments":
        """Return the moments of these values (n,), with weights (n,), and all that came before."""
        if not len(values):
            return self
        total = float(len(values) if weight is None else weight.sum())
        mean = float(np.average(values, weights=weight))
        squares = float(np.average((values - mean) ** 2, weights=weight)) * total
        both = self.weight + total
        if both == 0:
            return self
        apart = mean - self.mean
        return Moments(
            both, self.mean + apart * total / both, self.squares + squares + apart**2 * self.weight * total / both
        )


def block_rows(features: int) -> int:
    """Return how many rows of this many columns to process together.

    A block is large enough for a matrix product to be efficient and small compared with the data.
    """
    return max(LEAST_BLOCK, BLOCK_CELLS // max(1, features))
