"""`DenseTable`: an array in memory, or memory-mapped, or on a GPU."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from isthmus.data.in_memory import InMemory
from isthmus.data.moments import Summary, block_rows, summarise
from isthmus.data.number_types import as_tensor


class DenseTable(InMemory):
    """A dense array as a `Table`; its memory is shared, not copied, where torch has its number type.

    Parameters
    ----------
    numbers
        (n, F) array.
    values
        The same as a tensor on another device; by default the array's own memory.

    Examples
    --------
    >>> table = DenseTable(np.eye(3))
    >>> table.take(torch.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]], dtype=torch.float64)
    """

    sparse = False
    filled = 1.0

    def __init__(self, numbers: np.ndarray, values: Tensor | None = None) -> None:
        self.numbers = numbers
        self.values = as_tensor(numbers) if values is None else values

    @property
    def shape(self) -> tuple[int, int]:
        """(n, F)."""
        rows, features = self.values.shape
        return rows, features

    @property
    def dtype(self) -> torch.dtype:
        """The number type."""
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        """Where the rows are kept."""
        return self.values.device

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return int(self.numbers.nbytes)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> Tensor:
        """Return consecutive rows, (b, F)."""
        return self.values[rows]

    def take(self, index: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the rows at these positions (b,), as (b, F); written to `out` if it is given."""
        if out is None:
            return self.values.index_select(0, index)
        return torch.index_select(self.values, 0, index, out=out)

    def selected(self, used: np.ndarray) -> "DenseTable":
        """Return the table of the rows where `used` (n,) is true."""
        return DenseTable(self.numbers[used])

    def part(self, rows: slice) -> "DenseTable":
        """Return the table of consecutive rows."""
        return DenseTable(self.numbers[rows])

    def drawn(self, positions: np.ndarray | slice) -> np.ndarray:
        """Return the rows at these positions (m,), as an array (m, F)."""
        rows: np.ndarray = self.numbers[positions]
        return rows

    def new_empty(self, *size: int) -> Tensor:
        """Return uninitialised memory of the table's number type."""
        return self.values.new_empty(size)

    def to(self, device: torch.device) -> "DenseTable":
        """Return the table on a device."""
        return self if self.values.device == device else DenseTable(self.numbers, self.values.to(device))

    def summary(self, weight: Tensor | None = None) -> Summary:
        """Return mean, variance, minimum and maximum of every column, in float64, in two passes."""
        return two_pass_summary(self.values, weight)


def wide_blocks(values: Tensor, weight: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield blocks of rows in float64 with their weights."""
    size = block_rows(values.shape[1])
    for start in range(0, len(values), size):
        # Contiguous, so that the order of the sums does not depend on how the table lies in memory.
        block = values[start : start + size].double().contiguous()
        yield block, torch.ones_like(block[:, 0]) if weight is None else weight[start : start + size].double()


def two_pass_summary(values: Tensor, weight: Tensor | None) -> Summary:
    """Return the summary of rows (n, F) with weights (n,), in float64."""
    return summarise(lambda: wide_blocks(values, weight), values.shape[1], values.is_floating_point(), values.device)
