"""`ChunkedTable`: a table larger than memory, of which a few chunks are read at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import RLock

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.data.lazy_index import LazyIndex
from isthmus.data.moments import RunningMoments, Summary
from isthmus.data.number_types import as_tensor, kept_type
from isthmus.data.prefetching import Prefetcher
from isthmus.data.shuffling import Piece, joined, mixed

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
    """Chunks of rows behind as much of a tensor's interface as `Rows` asks for; on the processor.

    Row groups of a Parquet folder, blocks of an array on disk, batches of an iterator. Memory is bounded: by what is
    kept of the chunks read last, the buffer in which an epoch is shuffled, the rows that are held, and a few chunks on
    their way.

    Parameters
    ----------
    lengths
        Rows of each chunk.
    read
        Returns the chunk of a number, (its length, F) of any number type; called by one thread at a time.
    features
        Columns F.
    dtype
        The number type that all chunks are converted to, where it is not theirs.
    in_order
        Whether chunks are cheap to read in their order only.
    check
        Is shown every chunk when it is read for the first time, and the position of its first row; raises for values
        that cannot be.

    Examples
    --------
    >>> table = ChunkedTable([2, 3], lambda i: np.full((2 + i, 2), i, np.float32), 2, np.dtype(np.float32))
    >>> table.index_select(0, torch.tensor([4, 0]))
    tensor([[1., 1.],
            [0., 0.]])
    """

    device = torch.device("cpu")

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

    def is_floating_point(self) -> bool:
        """Whether it may hold fractions."""
        return self.dtype.is_floating_point

    def new_empty(self, *size: int) -> Tensor:
        """Return memory for numbers of the same type."""
        return self.none.new_empty(size)

    def __getitem__(self, rows: slice | int) -> Tensor:
        """Rows that stand together: (b, F), or (F,) for one."""
        if not isinstance(rows, slice):
            return self[rows : rows + 1][0]
        start, stop, step = rows.indices(len(self))
        assert step == 1, "only rows that stand together are sliced"
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        parts = []
        while start < stop:
            begin, end = self.starts[first], min(stop, int(self.starts[first + 1]))
            if start < end:
                parts.append(self.chunk(first)[start - begin : end - begin])
            start, first = max(start, end), first + 1
        return parts[0] if len(parts) == 1 else torch.cat([self.new_empty(0, self.shape[1]), *parts])

    def index_select(self, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return the rows of that index (b,), (b, F); written to `out`, if given."""
        assert dim == 0, "only rows are selected"
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

    def hold(self, index: Tensor) -> None:
        """Keep the rows of that index, which are wanted again and again, in place of those held before."""
        positions = index.unique()
        self.held, self.held_positions = self.index_select(0, positions), positions

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
        """Mean, variance, least and greatest value of every column, in one pass and float64."""
        if self.known is not None and weight is None:
            return self.known
        running = RunningMoments(self.shape[1])
        with Prefetcher(self.read, range(len(self.checked))) as chunks:
            for rows, start in zip(chunks, self.starts[:-1], strict=True):
                running.add_rows(rows, None if weight is None else weight[start : start + len(rows)])
        return running.summary

    def shuffled(self, index: LazyIndex, generator: Generator) -> Iterator[Piece]:
        """Return every row of that index once, in random order: chunks in random order, and rows through a buffer."""
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
