"""`ChunkedTable`: a table larger than memory, of which a few chunks are read at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import RLock

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.data.dense import DenseTable
from isthmus.data.lazy_index import LazyIndex
from isthmus.data.lazy_index import drawn as drawn_positions
from isthmus.data.moments import RunningMoments, Summary
from isthmus.data.number_types import as_tensor, kept_type
from isthmus.data.prefetching import Prefetcher
from isthmus.data.shuffling import Piece, joined, mixed
from isthmus.data.table import Index

KEPT_BYTES = 2**26
"""Of the chunks that were read last, as many are kept as take no more memory, and always one."""
BUFFER_BYTES = 2**26
"""Of the rows among which an epoch's order is shuffled."""
PIECE_BYTES = 2**22
"""Small chunks are read together, so many bytes at a time."""
HELD_BYTES = 2**28
"""Of rows that are wanted again and again."""
LEAST_HELD = 4096
"""Rows that may be held, however long they are."""


class ChunkedTable:
    """A table that is read in chunks, on the processor: row groups of Parquet, blocks of an array on disk, batches.

    Memory is bounded: by the chunks read last, the buffer that shuffles an epoch, the rows that are held, and a few
    chunks read ahead.

    Parameters
    ----------
    lengths
        Rows of each chunk.
    read
        Maps the number of a chunk to its rows, (its length, F) of any number type; called by one thread at a time.
    features
        Columns F.
    dtype
        The number type to which all chunks are converted.
    in_order
        Whether chunks are cheap to read only in their order.
    check
        Called with every chunk when it is first read, and the position of its first row; raises if a value is invalid.

    Examples
    --------
    >>> table = ChunkedTable([2, 3], lambda i: np.full((2 + i, 2), i, np.float32), 2, np.dtype(np.float32))
    >>> table.take(torch.tensor([4, 0]))
    tensor([[1., 1.],
            [0., 0.]])
    """

    device = torch.device("cpu")
    sparse = False
    streamed = True
    filled = 1.0
    nbytes = 0

    def __init__(
        self,
        lengths: Sequence[int],
        read: Callable[[int], np.ndarray],
        features: int,
        dtype: np.dtype,
        *,
        in_order: bool = False,
        check: Callable[[np.ndarray, int], None] | None = None,
    ) -> None:
        self.starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
        self.source = read
        self.shape = (int(self.starts[-1]), features)
        self.numbers = kept_type(dtype)
        self.in_order = in_order
        self.check = check
        self.checked = np.zeros(len(lengths), dtype=bool)
        self.none = torch.from_numpy(np.empty(0, dtype=self.numbers))
        self.kept: OrderedDict[int, Tensor] = OrderedDict()
        self.held, self.held_positions = self.new_empty(0, features), torch.empty(0, dtype=torch.int64)
        self.known: Summary | None = None
        self.lock = RLock()

    @property
    def dtype(self) -> torch.dtype:
        """The number type."""
        return self.none.dtype

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return max(1, self.shape[1] * self.numbers.itemsize)

    def __len__(self) -> int:
        return self.shape[0]

    def new_empty(self, *size: int) -> Tensor:
        """Return uninitialised memory of the table's number type."""
        return self.none.new_empty(size)

    def __getitem__(self, rows: slice) -> Tensor:
        """Return consecutive rows, (b, F)."""
        start, stop, step = rows.indices(len(self))
        assert step == 1, "only consecutive rows are sliced"
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        parts = []
        while start < stop:
            begin, end = self.starts[first], min(stop, int(self.starts[first + 1]))
            if start < end:
                parts.append(self.chunk(first)[start - begin : end - begin])
            start, first = max(start, end), first + 1
        return parts[0] if len(parts) == 1 else torch.cat([self.new_empty(0, self.shape[1]), *parts])

    def take(self, index: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the rows at these positions (b,), as (b, F); written to `out` if it is given."""
        out = self.new_empty(len(index), self.shape[1]) if out is None else out
        if len(self.held):
            places = torch.searchsorted(self.held_positions, index).clamp_max_(len(self.held) - 1)
            if torch.equal(self.held_positions[places], index):
                return torch.index_select(self.held, 0, places, out=out)
        positions = index.numpy()
        order = np.argsort(positions, kind="stable")
        ends = np.searchsorted(positions[order], self.starts)
        for i in np.flatnonzero(np.diff(ends)):
            mine = order[ends[i] : ends[i + 1]]
            chosen = torch.from_numpy(positions[mine] - self.starts[i])
            out[torch.from_numpy(mine)] = self.chunk(int(i)).index_select(0, chosen)
        return out

    def selected(self, used: np.ndarray) -> "ChunkedTable":
        """Return the table itself if every row is used; otherwise refuse."""
        if not used.all():
            raise ValueError(
                f"{(~used).sum()} sample weights are 0, and rows that are read in chunks cannot be left out one by "
                "one; give them positive weights, or take them out of the data"
            )
        return self

    def part(self, rows: slice) -> "DenseTable":
        """Return the table of consecutive rows, read into memory."""
        return DenseTable(self[rows].numpy())

    def drawn(self, positions: np.ndarray | slice) -> np.ndarray:
        """Return the rows at these positions (m,), as an array (m, F)."""
        if isinstance(positions, slice):
            positions = np.arange(len(self))[positions]
        return self.take(torch.from_numpy(positions)).numpy()

    def to(self, device: torch.device) -> "ChunkedTable":
        """Return the table itself: chunks are read to the processor's memory."""
        return self

    def split(self, validation: int, looked_at: int, generator: Generator) -> tuple[Tensor, LazyIndex]:
        """Draw `validation` rows at random, and `looked_at` others that come first; hold both as far as they fit."""
        validated, others = drawn_positions(len(self), validation, looked_at, generator)
        few = validation <= self.most_held
        self.keep(torch.cat([validated, others.first]) if few else others.first)
        return validated, others

    def everything(self) -> LazyIndex:
        """Return the positions of all rows in their order."""
        none = torch.empty(0, dtype=torch.int64)
        return LazyIndex(len(self), none, none)

    def holdable(self, wanted: int) -> int:
        """Return how many of `wanted` rows can be held: fewer where rows are long."""
        return min(wanted, self.most_held)

    def hold(self, index: Tensor) -> None:
        """Hold the rows at these positions in place of those held before, if they are not too many."""
        if len(index) <= self.most_held:
            self.keep(index)

    def keep(self, index: Tensor) -> None:
        """Hold the rows at these positions in place of those held before."""
        positions = index.unique()
        self.held, self.held_positions = self.take(positions), positions

    @property
    def most_held(self) -> int:
        """Rows that may be held."""
        return max(LEAST_HELD, HELD_BYTES // self.row_bytes)

    def chunk(self, i: int) -> Tensor:
        """Return a chunk (b, F), and keep it for the next time."""
        with self.lock:
            if i not in self.kept:
                self.kept[i] = self.read(i)
                while len(self.kept) > 1 and sum(chunk.nbytes for chunk in self.kept.values()) > KEPT_BYTES:
                    self.kept.popitem(last=False)
            self.kept.move_to_end(i)
            return self.kept[i]

    def read(self, i: int) -> Tensor:
        """Read a chunk, (b, F)."""
        with self.lock:
            array = self.source(i)
        expected = (int(self.starts[i + 1] - self.starts[i]), self.shape[1])
        if array.shape != expected:
            raise ValueError(
                f"chunk {i} of the data has {array.shape} rows and columns, and had {expected} when it was first "
                "looked at: something writes to the data; wait until it is done and fit again"
            )
        if self.check is not None and not self.checked[i]:
            self.check(array, int(self.starts[i]))
            self.checked[i] = True
        return as_tensor(np.ascontiguousarray(array, dtype=self.numbers))

    def summary(self, weight: Tensor | None = None) -> Summary:
        """Return mean, variance, minimum and maximum of every column, in float64, in one pass."""
        if self.known is not None and weight is None:
            return self.known
        running = RunningMoments(self.shape[1])
        with Prefetcher(self.read, range(len(self.checked))) as chunks:
            for rows, start in zip(chunks, self.starts[:-1], strict=True):
                running.add_rows(rows, None if weight is None else weight[start : start + len(rows)])
        return running.summary

    def shuffled(self, index: Index, generator: Generator) -> Iterator[Piece]:
        """Yield every row of the index once: chunks in random order, their rows mixed by a buffer."""
        assert isinstance(index, LazyIndex), "split and everything return one"
        count = len(self.checked)
        # Every chunk is read once now: what is kept of them would only stand beside the buffer.
        self.kept.clear()
        order = range(count) if self.in_order else torch.randperm(count, generator=generator).tolist()
        with Prefetcher(lambda chunks: self.piece(chunks, index.left_out), self.together(order)) as ready:
            yield from mixed(ready, max(1, BUFFER_BYTES // self.row_bytes), generator)

    def together(self, order: Sequence[int]) -> Iterator[list[int]]:
        """Pass over chunks in that order, small ones together."""
        group: list[int] = []
        rows = 0
        for i in order:
            group.append(i)
            rows += int(self.starts[i + 1] - self.starts[i])
            if rows * self.row_bytes >= PIECE_BYTES:
                yield group
                group, rows = [], 0
        if group:
            yield group

    def piece(self, chunks: Sequence[int], left_out: Tensor) -> Piece:
        """Read chunks, without the rows that are left out (their positions rise)."""
        parts = []
        for i in chunks:
            rows, start = self.read(i), int(self.starts[i])
            positions = torch.arange(start, start + len(rows))
            first, last = torch.searchsorted(left_out, torch.tensor([start, start + len(rows)])).tolist()
            if first < last:
                stays = np.ones(len(rows), dtype=bool)
                stays[left_out[first:last].numpy() - start] = False
                # By numpy: torch would wake threads of its own beside those of training.
                rows, positions = (torch.from_numpy(t.numpy()[stays]) for t in (rows, positions))
            parts.append(Piece(rows, positions))
        return joined(parts)
