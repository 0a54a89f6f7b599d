"""`Table`: rows of numbers, wherever they are kept. One protocol, three implementations: dense, sparse, in chunks."""

from collections.abc import Iterator
from typing import Protocol, Self, TypeAlias

import numpy as np
import scipy.sparse
import torch
from torch import Generator, Tensor

from isthmus.data.lazy_index import LazyIndex
from isthmus.data.moments import Summary
from isthmus.data.shuffling import Piece

Index: TypeAlias = Tensor | LazyIndex
"""Positions of rows: a tensor (n,), or an index that computes them on demand."""
Numbers: TypeAlias = np.ndarray | scipy.sparse.csr_array
"""Rows (n, F) in memory."""


class Table(Protocol):
    """Rows of numbers (n, F). Whoever uses one never asks which kind it is.

    Rows are handed out as dense tensors in the table's own number type, a few at a time.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """(n, F)."""

    @property
    def dtype(self) -> torch.dtype:
        """The number type."""

    @property
    def device(self) -> torch.device:
        """Where the rows are kept."""

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take on a device, if they are moved there; 0 if they cannot be."""

    @property
    def sparse(self) -> bool:
        """Whether only the non-zero cells are kept."""

    @property
    def filled(self) -> float:
        """Share of the cells that are kept, in [0, 1]; 1 for dense tables."""

    @property
    def streamed(self) -> bool:
        """Whether rows are read from a source, so that an epoch follows the source's order, shuffled by a buffer."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> Tensor:
        """Return consecutive rows, (b, F)."""

    def take(self, index: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the rows at these positions (b,), as (b, F); written to `out` if it is given."""

    def selected(self, used: np.ndarray) -> Self:
        """Return the table of the rows where `used` (n,) is true.

        Raises
        ------
        ValueError
            If rows are read from a source and some are not used.
        """

    def part(self, rows: slice) -> "Table":
        """Return the table of consecutive rows."""

    def drawn(self, positions: np.ndarray | slice) -> Numbers:
        """Return the rows at these positions (m,) as an array or CSR matrix (m, F); a slice may share memory."""

    def new_empty(self, *size: int) -> Tensor:
        """Return uninitialised memory of the table's number type."""

    def to(self, device: torch.device) -> Self:
        """Return the table on a device, if it can be kept there; itself otherwise."""

    def split(self, validation: int, looked_at: int, generator: Generator) -> tuple[Tensor, Index]:
        """Draw `validation` rows at random; return their positions and those of all other rows.

        The other rows come in random order; of a source, only the first `looked_at` do, and these are kept in memory.
        """

    def everything(self) -> Index:
        """Return the positions of all rows in their order."""

    def holdable(self, wanted: int) -> int:
        """Return how many of `wanted` rows can be kept in memory to be read repeatedly."""

    def hold(self, index: Tensor) -> None:
        """Keep the rows at these positions in memory, in place of those kept before."""

    def shuffled(self, index: Index, generator: Generator) -> Iterator[Piece]:
        """Yield every row of the index once, in random order; for `streamed` tables."""

    def summary(self, weight: Tensor | None = None) -> Summary:
        """Return mean, variance, minimum and maximum of every column, in float64."""


def is_sparse(numbers: Numbers) -> bool:
    """Whether rows in memory are a sparse matrix."""
    return bool(scipy.sparse.issparse(numbers))
