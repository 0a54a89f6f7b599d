"""`Rows`: a table with its weights and its scaling, turned into batches for a network."""

from collections.abc import Iterable, Iterator
from copy import deepcopy

import numpy as np
import scipy.sparse
import torch
from torch import Generator, Tensor

from isthmus.data.chunks import ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.moments import Summary, block_rows
from isthmus.data.number_types import as_tensor
from isthmus.data.prefetching import Prefetcher
from isthmus.data.scaling import NARROW, Scaling, copied
from isthmus.data.shuffling import Batches, cut, equal_sizes
from isthmus.data.sparse import SparseTable
from isthmus.data.table import Index, Table

Batch = tuple[Tensor, Tensor | None]
"""Rows (B, F) in the network's units, and their weights (B,) or None."""


class Rows:
    """Rows of numbers, their weights, and the scaling that brings them to the network.

    Parameters
    ----------
    X
        (n, F) table, or an array or CSR matrix, which is not copied.
    weight
        (n,) sample weights; None for equal ones.
    scaling
        Applied to every batch; None leaves the values as they are.
    dtype
        The floating-point type of the batches.
    device
        Where the batches are needed.
    resident
        Whether to keep the table on that device, as for training; otherwise it stays in memory, and batches are moved.
    limits
        (F,) greatest distance of a scaled cell from 0, for networks in use; None for no limit.
    """

    def __init__(
        self,
        X: Table | np.ndarray | scipy.sparse.csr_array,
        weight: np.ndarray | None = None,
        scaling: Scaling | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        resident: bool = True,
        limits: Tensor | None = None,
    ) -> None:
        self.device = torch.device(device)
        table = table_of(X)
        # Apple's device has no float64, in which wide numbers are scaled: its batches are made in memory.
        self.table = table.to(self.device) if resident and self.device.type != "mps" else table
        home = self.table.device
        self.weight = None if weight is None else as_tensor(weight).to(home, dtype)
        self.scaling = scaling if scaling is None or home.type == "cpu" else deepcopy(scaling).to(home)
        self.dtype = dtype
        self.limits = limits
        self.scaling_on_device: Scaling | None = None
        self.prefetches = self.device.type == "cuda" and home.type == "cpu"

    @property
    def narrow(self) -> bool:
        """Whether float32 holds every value of the table exactly."""
        return self.table.dtype in NARROW

    def __len__(self) -> int:
        return len(self.table)

    @property
    def features(self) -> int:
        """Columns of the table, before it is scaled."""
        return self.table.shape[1]

    @property
    def place(self) -> str:
        """Where the rows are kept, in words."""
        if self.table.streamed:
            return "read in chunks"
        return f"on {self.device.type}" if self.table.device == self.device else "in memory"

    @property
    def block(self) -> int:
        """Rows to process together: enough for an efficient product, few enough to be small beside the data."""
        return block_rows(self.features)

    def split(self, validation: int, looked_at: int, generator: Generator) -> tuple[Tensor, Index]:
        """Draw validation rows; return their positions and those of the training rows. See `Table.split`."""
        return self.table.split(validation, looked_at, generator)

    def everything(self) -> Index:
        """Return the positions of all rows in their order."""
        return self.table.everything()

    def epoch(self, index: Index, batches: int, generator: Generator) -> Batches:
        """Yield the rows of the index in random order, in `batches` batches of equal size (give or take one row)."""
        if self.table.streamed:
            # Its own generator, because it is drawn from throughout the epoch.
            order = Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
            return cut(self.streamed(index, order), equal_sizes(len(index), batches))
        positions = index[:]
        shuffled = positions[torch.randperm(len(positions), generator=generator)].to(self.table.device)
        return self.batches(torch.tensor_split(shuffled, batches))

    def streamed(self, index: Index, generator: Generator) -> Batches:
        """Yield blocks of the rows of a streamed table in random order."""
        for rows, positions in self.table.shuffled(index, generator):
            x = self.moved(rows) if self.device.type == "cuda" else self.scaled(rows)
            yield x, None if self.weight is None else self.weight[positions].to(self.device)

    def batch(self, index: Tensor) -> Batch:
        """Return the rows at these positions (b,)."""
        index = index.to(self.table.device)
        weight = None if self.weight is None else self.weight[index].to(self.device)
        return self.scaled(self.table.take(index)), weight

    def scaled_once(self) -> DenseTable:
        """Return all rows in the network's units and number type, (n, F), as a table in memory."""
        cells = self.features if self.scaling is None else self.scaling.cells
        numbers = torch.empty(len(self), cells, dtype=self.dtype)
        start = 0
        for x, _ in self.blocks():
            numbers[start : start + len(x)] = x
            start += len(x)
        return DenseTable(numbers.numpy())

    def batches(self, indices: Iterable[Tensor]) -> Batches:
        """Yield the batches of these positions; each may reuse the memory of the one before.

        (Large blocks of memory that come and go at every step fragment the heap, and the process grows.)

        Where the rows are in memory and the batches are needed on a CUDA GPU, a second thread gathers them in advance
        into pinned memory, from which they are copied while the device computes.
        """
        if not self.prefetches:
            buffers: dict[int, tuple[Tensor, Tensor]] = {}
            for index in indices:
                yield self.batch_into(buffers, index)
            return
        pin = self.device.type == "cuda"
        with Prefetcher(lambda index: self.gathered(index, pin), indices) as gathered:
            for raw, weight in gathered:
                yield self.moved(raw), None if weight is None else weight.to(self.device, non_blocking=True)

    def batch_into(self, buffers: dict[int, tuple[Tensor, Tensor]], index: Tensor) -> Batch:
        """Return what `batch` does, in memory that is kept in `buffers` for every batch size."""
        if self.table.device != self.device:
            return self.batch(index)
        if len(index) not in buffers:
            raw = self.table.new_empty(len(index), self.features)
            cells = raw.shape[1] if self.scaling is None else self.scaling.cells
            same = raw.dtype == self.dtype and cells == raw.shape[1]
            buffers[len(index)] = raw, raw if same else raw.new_empty(len(index), cells, dtype=self.dtype)
        raw, x = buffers[len(index)]
        index = index.to(self.table.device)
        self.table.take(index, out=raw)
        weight = None if self.weight is None else self.weight[index]
        return copied(raw, x) if self.scaling is None else self.scaling(raw, self.dtype, x), weight

    def gathered(self, index: Tensor, pin: bool) -> Batch:
        """Return rows in the table's own number type, and their weights."""
        found = self.table.take(index), None if self.weight is None else self.weight[index]
        return tuple(t if t is None or not pin else t.pin_memory() for t in found)  # type: ignore[return-value]

    def moved(self, raw: Tensor) -> Tensor:
        """Move rows to the device, and scale them there."""
        if self.scaling_on_device is None and self.scaling is not None:
            self.scaling_on_device = deepcopy(self.scaling).to(self.device)
        x = raw.to(self.device, non_blocking=True)
        return x.to(self.dtype) if self.scaling_on_device is None else self.scaling_on_device(x, self.dtype)

    def scaled(self, raw: Tensor) -> Tensor:
        """Return rows of the table in the network's units and number type."""
        x = raw.to(self.dtype) if self.scaling is None else self.scaling(raw, self.dtype)
        return (x if self.limits is None else x.clamp(-self.limits, self.limits)).to(self.device)

    def blocks(self, size: int = 4096) -> Iterator[Batch]:
        """Yield all rows in their order, `size` at a time."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self.scaled(self.table[rows]), None if self.weight is None else self.weight[rows].to(self.device)

    def summary(self) -> Summary:
        """Return mean, variance, minimum and maximum of every column of the table, in float64."""
        return self.table.summary(self.weight)

    @property
    def total(self) -> float:
        """The sum of the rows' weights; their number if they have none."""
        return float(len(self)) if self.weight is None else float(self.weight.double().sum())


def table_of(X: Table | np.ndarray | scipy.sparse.csr_array) -> Table:
    """Return an array or a CSR matrix as a table; a table as it is."""
    if isinstance(X, np.ndarray):
        return DenseTable(X)
    if isinstance(X, DenseTable | SparseTable | ChunkedTable):
        return X
    return SparseTable(X)
