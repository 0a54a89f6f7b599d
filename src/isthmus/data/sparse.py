"""`SparseTable`: a table that keeps only what is not 0, and becomes dense a few rows at a time."""

import numpy as np
import scipy.sparse
import torch
from torch import Tensor


class SparseTable:
    """A CSR table behind as much of a tensor's interface as `Rows` asks for; on the processor.

    Parameters
    ----------
    table
        (n, F) CSR, of a number type that torch has.

    Examples
    --------
    >>> table = SparseTable(scipy.sparse.csr_array(np.eye(3, dtype=np.float32)))
    >>> table.index_select(0, torch.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """

    device = torch.device("cpu")

    def __init__(self, table: scipy.sparse.csr_array) -> None:
        self.table = table
        self.none = torch.from_numpy(np.empty(0, dtype=table.dtype))

    @property
    def dtype(self) -> torch.dtype:
        """The number type."""
        return self.none.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """(n, F)."""
        rows, columns = self.table.shape
        return rows, columns

    def __len__(self) -> int:
        return int(self.table.shape[0])

    def __getitem__(self, rows: slice | int) -> Tensor:
        """Rows, dense: (b, F), or (F,) for one."""
        if isinstance(rows, slice):
            return torch.from_numpy(self.table[rows].toarray())
        return self[rows : rows + 1][0]

    def index_select(self, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return the rows of that index (b,), dense, (b, F); written to `out`, if given."""
        assert dim == 0, "only rows are selected"
        chosen = self.table[index.numpy()]
        if out is None:
            return torch.from_numpy(chosen.toarray())
        chosen.toarray(out=out.numpy())
        return out

    def is_floating_point(self) -> bool:
        """Whether it may hold fractions."""
        return self.dtype.is_floating_point

    def new_empty(self, *size: int) -> Tensor:
        """Return dense memory for numbers of the same type."""
        return self.none.new_empty(size)

    @property
    def filled(self) -> float:
        """The share of the cells that are kept, in [0, 1]."""
        return float(self.table.nnz / max(1, self.shape[0] * self.shape[1]))


def canonical(table: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Return a CSR table with rising columns in every row and entries of one cell added up; a copy, if it differs."""
    if table.has_canonical_format:
        return table
    table = table.copy()
    table.sum_duplicates()
    return table
