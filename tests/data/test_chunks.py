import numpy as np
import pytest
import torch
from torch import Generator

from isthmus.data import chunks
from isthmus.data.chunks import ChunkedTable
from isthmus.data.lazy_index import LazyIndex
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling

DENSE = np.random.default_rng(0).integers(0, 100, (60, 3))
EDGES = [0, 7, 7, 30, 31, 60]
WEIGHT = np.random.default_rng(1).uniform(0.5, 2, 60)
NONE = torch.empty(0, dtype=torch.int64)


class Counted:
    def __init__(self, X, edges=EDGES):
        self.X, self.edges, self.calls = X, edges, []

    def __call__(self, i):
        self.calls.append(i)
        return self.X[self.edges[i] : self.edges[i + 1]]


def table(dtype="float32", **settings):
    X = DENSE.astype(dtype)
    return ChunkedTable(np.diff(EDGES).tolist(), Counted(X), 3, X.dtype, **settings), torch.from_numpy(X)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_rows_are_the_dense_ones(dtype):
    chunked, dense = table(dtype)
    assert (chunked.dtype, chunked.shape, len(chunked)) == (dense.dtype, (60, 3), 60)
    for rows in (slice(3, 9), slice(None), slice(30, 31), slice(5, 5), slice(29, 1000)):
        assert torch.equal(chunked[rows], dense[rows])
    index = torch.tensor([59, 0, 7, 30, 7, 6])
    assert torch.equal(chunked.take(index), dense[index])
    out = torch.zeros(6, 3, dtype=dense.dtype)
    assert chunked.take(index, out=out) is out
    assert torch.equal(out, dense[index])


def test_chunks_of_other_number_types_are_converted():
    chunked = ChunkedTable([2], lambda i: np.array([[True], [False]]), 1, np.dtype(bool))
    assert chunked.dtype == torch.uint8
    assert chunked[:].tolist() == [[1], [0]]


def test_few_chunks_are_kept(monkeypatch):
    monkeypatch.setattr(chunks, "KEPT_BYTES", 30 * 3 * 4)
    chunked, dense = table()
    for start in range(60):
        assert torch.equal(chunked[start : start + 1], dense[start : start + 1])
    assert chunked.source.calls == [0, 2, 3, 4]
    assert list(chunked.kept) == [3, 4]
    monkeypatch.setattr(chunks, "KEPT_BYTES", 1)
    chunked[:1]
    assert list(chunked.kept) == [0]


def test_held_rows_are_not_read_again():
    chunked, dense = table()
    chunked.hold(torch.tensor([50, 2, 8]))
    chunked.kept.clear()
    chunked.source.calls.clear()
    index = torch.tensor([2, 50, 2])
    assert torch.equal(chunked.take(index), dense[index])
    chunked.hold(torch.tensor([2, 50]))
    assert chunked.source.calls == []
    assert torch.equal(chunked.take(torch.tensor([8])), dense[[8]])
    assert chunked.source.calls == [2]


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_summary_takes_one_pass(weight, dtype):
    chunked, dense = table(dtype)
    found = Rows(chunked, weight, dtype=torch.float64).summary()
    assert chunked.source.calls == [0, 1, 2, 3, 4]
    for one, other in zip(found, Rows(dense.numpy(), weight, dtype=torch.float64).summary(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_an_epoch_has_every_row_once(monkeypatch, in_order, weight):
    monkeypatch.setattr(chunks, "BUFFER_BYTES", 20 * 3 * 4)
    monkeypatch.setattr(chunks, "PIECE_BYTES", 10 * 3 * 4)
    chunked, dense = table(in_order=in_order)
    scaling = AffineScaling(torch.full((3,), 0.5, dtype=torch.float64), torch.full((3,), 2.0, dtype=torch.float64))
    rows = Rows(chunked, weight, scaling, torch.float64)
    left_out = torch.tensor([0, 8, 30, 59])
    index = LazyIndex(60, left_out, torch.tensor([5]))
    batches = list(rows.epoch(index, 5, Generator().manual_seed(0)))
    assert [len(x) for x, _ in batches] == [12, 11, 11, 11, 11]
    x, trained = torch.cat([x for x, _ in batches]), index[:60]
    expected = ((dense.double() - 0.5) / 2)[trained]
    order, place = (np.lexsort(t.numpy().T) for t in (expected, x))
    assert torch.equal(x[place], expected[order])
    if weight is not None:
        weights = torch.cat([weight for _, weight in batches])
        assert torch.equal(weights[place], torch.from_numpy(weight)[trained][order])
    again = torch.cat([x for x, _ in rows.epoch(index, 5, Generator().manual_seed(0))])
    other = torch.cat([x for x, _ in rows.epoch(index, 5, Generator().manual_seed(1))])
    assert torch.equal(x, again)
    assert not torch.equal(x, other)
    read = chunked.source.calls[:5]
    assert sorted(read) == [0, 1, 2, 3, 4]
    assert (read == sorted(read)) == in_order


def test_epochs_of_rows_in_memory_are_one_permutation():
    dense = torch.from_numpy(DENSE.astype(np.float32))
    index = torch.arange(40)
    batches = [x.clone() for x, _ in Rows(dense.numpy()).epoch(index, 3, Generator().manual_seed(0))]
    order = index[torch.randperm(40, generator=Generator().manual_seed(0))]
    assert all(map(torch.equal, batches, [dense[some] for some in order.tensor_split(3)]))


def test_validation_rows_are_held_and_left_out():
    rows = Rows(table()[0])
    validation, index = rows.split(10, 20, Generator().manual_seed(0))
    assert len(rows.table.held) == 30
    assert set(validation.tolist()) & set(index[:60].tolist()) == set()
    rows.table.hold(validation)
    assert len(rows.table.held) == 10
    assert rows.place == "read in chunks"
    assert torch.equal(rows.everything()[:60], torch.arange(60))


def test_chunks_are_checked_once_each():
    seen = []
    chunked, _ = table(check=lambda chunk, start: seen.append((start, len(chunk))))
    chunked.summary()
    chunked.hold(torch.tensor([3]))
    assert seen == [(0, 7), (7, 0), (7, 23), (30, 1), (31, 29)]


def test_data_that_change_are_refused():
    chunked = ChunkedTable([5], lambda i: np.zeros((4, 2)), 2, np.dtype(float))
    with pytest.raises(ValueError, match=r"chunk 0 of the data has \(4, 2\) rows and columns, and had \(5, 2\)"):
        chunked.summary()


def test_an_error_in_reading_ends_the_epoch():
    def read(i):
        if i == 3:
            raise OSError("the disk is gone")
        return np.zeros((4, 2))

    rows = Rows(ChunkedTable([4] * 6, read, 2, np.dtype(float)))
    with pytest.raises(OSError, match="the disk is gone"):
        list(rows.epoch(LazyIndex(24, NONE, NONE), 3, Generator().manual_seed(0)))


def test_long_rows_are_held_too():
    chunked = ChunkedTable([10_000], lambda i: np.zeros((10_000, 10**6)), 10**6, np.dtype(float))
    assert Rows(chunked).table.holdable(50_000) == chunks.LEAST_HELD
    assert Rows(np.zeros((3, 2))).table.holdable(50_000) == 50_000
