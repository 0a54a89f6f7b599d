"""`SparseTable`: a table that keeps only non-zero cells and becomes dense a few rows at a time."""

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from isthmus.data.in_memory import InMemory
from isthmus.data.moments import Summary, summarise_sparse
from isthmus.data.number_types import AS_THEY_COME, other_type


class SparseTable(InMemory):
    """A CSR matrix as a `Table`, on the processor.

    Parameters
    ----------
    numbers
        (n, F) CSR. Duplicate entries are added up, and number types that torch lacks converted, in a copy.

    Examples
    --------
    >>> table = SparseTable(scipy.sparse.csr_array(np.eye(3, dtype=np.float32)))
    >>> table.take(torch.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """

    device = torch.device("cpu")
    sparse = True
    nbytes = 0

    def __init__(self, numbers: scipy.sparse.csr_array) -> None:
        csr = canonical(numbers)
        self.csr = csr if csr.dtype in AS_THEY_COME else csr.astype(other_type(csr.dtype))
        self.empty = torch.from_numpy(np.empty(0, dtype=self.csr.dtype))

    @property
    def dtype(self) -> torch.dtype:
        """The number type."""
        return self.empty.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """(n, F)."""
        rows, columns = self.csr.shape
        return rows, columns

    @property
    def filled(self) -> float:
        """Share of the cells that are kept, in [0, 1]."""
        return float(self.csr.nnz / max(1, self.shape[0] * self.shape[1]))

    def __len__(self) -> int:
        return int(self.csr.shape[0])

    def __getitem__(self, rows: slice) -> Tensor:
        """Return consecutive rows as a dense tensor, (b, F)."""
        return torch.from_numpy(self.csr[rows].toarray())

    def take(self, index: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the rows at these positions (b,) as a dense tensor, (b, F); written to `out` if it is given."""
        chosen = self.csr[index.numpy()]
        if out is None:
            return torch.from_numpy(chosen.toarray())
        chosen.toarray(out=out.numpy())
        return out

    def selected(self, used: np.ndarray) -> "SparseTable":
        """Return the table of the rows where `used` (n,) is true."""
        return SparseTable(self.csr[used])

    def part(self, rows: slice) -> "SparseTable":
        """Return the table of consecutive rows."""
        return SparseTable(self.csr[rows])

    def drawn(self, positions: np.ndarray | slice) -> scipy.sparse.csr_array:
        """Return the rows at these positions (m,), as CSR (m, F)."""
        return self.csr[positions]

    def new_empty(self, *size: int) -> Tensor:
        """Return uninitialised dense memory of the table's number type."""
        return self.empty.new_empty(size)

    def to(self, device: torch.device) -> "SparseTable":
        """Return the table itself: sparse rows stay on the processor."""
        return self

    def summary(self, weight: Tensor | None = None) -> Summary:
        """Return mean, variance, minimum and maximum of every column, from the non-zero cells alone."""
        return summarise_sparse(self.csr, None if weight is None else weight.numpy())


def canonical(table: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Return a CSR matrix with sorted columns in every row and duplicate entries added up; a copy if it differs."""
    if table.has_canonical_format:
        return table
    table = table.copy()
    table.sum_duplicates()
    return table
