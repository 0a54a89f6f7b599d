"""`Rows`: a table that stays as it came (its number type, its memory) and is converted a batch at a time."""

from collections.abc import Iterable, Iterator
from copy import deepcopy

import numpy as np
import scipy.sparse
import torch
from torch import Generator, Tensor

from isthmus.data import lazy_index
from isthmus.data.chunks import ChunkedTable
from isthmus.data.lazy_index import LazyIndex
from isthmus.data.moments import RunningMoments, Summary, block_rows, summarise, summarise_sparse
from isthmus.data.number_types import AS_THEY_COME, as_tensor, other_type
from isthmus.data.prefetching import Prefetcher
from isthmus.data.scaling import NARROW, Scaling, copied
from isthmus.data.shuffling import cut, equal_sizes
from isthmus.data.sparse import SparseTable, canonical


class Rows:
    """Rows of numbers, their weights, and the scaling that brings them to the network.

    Parameters
    ----------
    X
        (n, F) numpy array, not copied where torch knows its number type; or CSR, of which a batch becomes dense at a
        time; or a table in chunks, of which a few are read at a time.
    weight
        (n,) sample weights, or None for equal ones.
    scaling
        Applied to every batch; None leaves the values as they are.
    dtype
        The floating-point type of the batches.
    device
        Where the batches are.
    resident
        Whether the table is kept there too, as for training; otherwise it stays in memory and goes over in batches.
    """

    def __init__(
        self,
        X: np.ndarray | scipy.sparse.csr_array | ChunkedTable,
        weight: np.ndarray | None = None,
        scaling: Scaling | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        resident: bool = True,
    ) -> None:
        self.device = torch.device(device)
        # Apple's device has no float64, in which wide numbers are scaled: its batches are made in memory.
        stays = not resident or self.device.type == "mps" or not isinstance(X, np.ndarray)
        home = torch.device("cpu") if stays else self.device
        self.raw: Tensor | SparseTable | ChunkedTable = as_tensor(X).to(home) if isinstance(X, np.ndarray) else kept(X)
        self.weight = None if weight is None else as_tensor(weight).to(home, dtype)
        self.scaling = scaling if scaling is None or home.type == "cpu" else deepcopy(scaling).to(home)
        self.dtype = dtype
        self.there: Scaling | None = None
        self.ahead = self.device.type == "cuda" and home.type == "cpu"

    @property
    def narrow(self) -> bool:
        """Whether float32 holds every value of such a table exactly."""
        return self.raw.dtype in NARROW

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def place(self) -> str:
        """Where the rows wait, in words."""
        if isinstance(self.raw, ChunkedTable):
            return "read in chunks"
        return "there" if self.raw.device == self.device else "in memory"

    def draw(self, judged: int, some: int, generator: Generator) -> tuple[Tensor, Tensor | LazyIndex]:
        """Draw which rows judge, and return the others, in random order; of a table in chunks the first `some` are.

        Those are held, and the judges with them.
        """
        if not isinstance(self.raw, ChunkedTable):
            judges, index = torch.randperm(len(self), generator=generator).tensor_split([judged])
            return judges, index
        judges, others = lazy_index.drawn(len(self), judged, some, generator)
        few = judged <= self.raw.most_held
        self.raw.hold(torch.cat([judges, others.first]) if few else others.first)
        return judges, others

    def all(self) -> Tensor | LazyIndex:
        """Return the index of all rows, as they lie."""
        if not isinstance(self.raw, ChunkedTable):
            return torch.arange(len(self))
        none = torch.empty(0, dtype=torch.int64)
        return LazyIndex(len(self), none, none)

    def most_held(self, wanted: int) -> int:
        """Return how many of so many rows may be looked at again and again: all, but of long rows in chunks fewer."""
        return min(wanted, self.raw.most_held) if isinstance(self.raw, ChunkedTable) else wanted

    def hold(self, index: Tensor) -> None:
        """Of a table in chunks, hold the rows of that index in place of those that are held."""
        if isinstance(self.raw, ChunkedTable) and len(index) <= self.raw.most_held:
            self.raw.hold(index)

    def epoch(
        self, index: Tensor | LazyIndex, batches: int, generator: Generator
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Return the rows of that index in random order, in so many batches of equal size (give or take one row)."""
        if isinstance(self.raw, ChunkedTable):
            # Its own, since it is drawn from while the epoch lasts.
            order = Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
            return cut(self.shuffled(self.raw, index, order), equal_sizes(len(index), batches))
        assert isinstance(index, Tensor)
        shuffled = index[torch.randperm(len(index), generator=generator)].to(self.raw.device)
        return self.batches(torch.tensor_split(shuffled, batches))

    def shuffled(
        self, table: ChunkedTable, index: Tensor | LazyIndex, generator: Generator
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Return blocks of rows of a table in chunks in random order, in the network's units, and their weights."""
        assert isinstance(index, LazyIndex)
        for rows, where in table.shuffled(index, generator):
            x = self.brought(rows) if self.device.type == "cuda" else self.scaled(rows)
            yield x, None if self.weight is None else self.weight[where].to(self.device)

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the rows of that index (b,) in the network's units, (b, F), and their weights."""
        index = index.to(self.raw.device)
        weight = None if self.weight is None else self.weight[index].to(self.device)
        return self.scaled(self.raw.index_select(0, index)), weight

    def batches(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Return the batches of those indices, one after another; each may stand in the memory of the one before.

        (Large pieces of memory that come and go at every step let a process grow, by what small ones leave between.)

        Where the rows wait in memory and the batches go to a CUDA GPU, another thread gathers them ahead, as they came,
        into pinned memory, whence they go over while the device computes.
        """
        if not self.ahead:
            rooms: dict[int, tuple[Tensor, Tensor]] = {}
            for index in indices:
                yield self.batch_into(rooms, index)
            return
        pin = self.device.type == "cuda"
        with Prefetcher(lambda index: self.gathered(index, pin), indices) as gathered:
            for raw, weight in gathered:
                yield self.brought(raw), None if weight is None else weight.to(self.device, non_blocking=True)

    def batch_into(self, rooms: dict[int, tuple[Tensor, Tensor]], index: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what `batch` does, in memory that is kept in `rooms` for every size of a batch."""
        if self.raw.device != self.device:
            return self.batch(index)
        if len(index) not in rooms:
            raw = self.raw.new_empty(len(index), self.raw.shape[1])
            cells = raw.shape[1] if self.scaling is None else self.scaling.cells
            same = raw.dtype == self.dtype and cells == raw.shape[1]
            rooms[len(index)] = raw, raw if same else raw.new_empty(len(index), cells, dtype=self.dtype)
        raw, x = rooms[len(index)]
        index = index.to(self.raw.device)
        if not isinstance(self.raw, Tensor):
            self.raw.index_select(0, index, out=raw)
        else:
            torch.index_select(self.raw, 0, index, out=raw)
        weight = None if self.weight is None else self.weight[index]
        return copied(raw, x) if self.scaling is None else self.scaling(raw, self.dtype, x), weight

    def gathered(self, index: Tensor, pin: bool) -> tuple[Tensor, Tensor | None]:
        """Return rows as they came, and their weights."""
        found = self.raw.index_select(0, index), None if self.weight is None else self.weight[index]
        return tuple(t if t is None or not pin else t.pin_memory() for t in found)  # type: ignore[return-value]

    def brought(self, raw: Tensor) -> Tensor:
        """Bring rows as they came to the device, and there to the network's units."""
        if self.there is None:
            self.there = None if self.scaling is None else deepcopy(self.scaling).to(self.device)
        x = raw.to(self.device, non_blocking=True)
        return x.to(self.dtype) if self.there is None else self.there(x, self.dtype)

    def blocks(self, size: int = 4096) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Pass over all rows in their order, `size` at a time."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self.scaled(self.raw[rows]), None if self.weight is None else self.weight[rows].to(self.device)

    def scaled(self, raw: Tensor) -> Tensor:
        """Bring rows as they came to the network's units and number type."""
        x = raw.to(self.dtype) if self.scaling is None else self.scaling(raw, self.dtype)
        return x.to(self.device)

    def summary(self) -> Summary:
        """Mean, variance, least and greatest value of every column, in float64; in two passes, of chunks in one."""
        if isinstance(self.raw, SparseTable):
            return summarise_sparse(self.raw.table, None if self.weight is None else self.weight.numpy())
        if isinstance(self.raw, ChunkedTable):
            return self.raw.summary(self.weight)
        return summarise(self.wide_blocks, self.raw.shape[1], self.raw.is_floating_point(), self.raw.device)

    def running(self) -> RunningMoments:
        """Mean, variance, least and greatest value of every column, in one pass, so that more rows can be taken in."""
        if isinstance(self.raw, ChunkedTable):
            return RunningMoments.of(self.raw.summary(self.weight), float(len(self)))
        running = RunningMoments(self.raw.shape[1])
        for raw, weight in self.wide_blocks():
            running.add(raw.cpu(), weight.cpu(), self.raw.is_floating_point())
        return running

    @property
    def block(self) -> int:
        """Rows to look at together: enough for a product to pay, few enough to be small beside the data."""
        return block_rows(self.raw.shape[1])

    def wide_blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pass over the unscaled rows in float64, with their weights."""
        size = self.block
        for start in range(0, len(self), size):
            # Contiguous, so that the order of the sums does not depend on how the table lies in memory.
            raw = self.raw[start : start + size].double().contiguous()
            yield raw, torch.ones_like(raw[:, 0]) if self.weight is None else self.weight[start : start + size].double()


def kept(table: scipy.sparse.csr_array | ChunkedTable) -> SparseTable | ChunkedTable:
    """Keep a table in chunks, or a CSR one, as it came, where torch has its number type and no cell is there twice."""
    if isinstance(table, ChunkedTable):
        return table
    table = canonical(table)
    return SparseTable(table if table.dtype in AS_THEY_COME else table.astype(other_type(table.dtype)))
