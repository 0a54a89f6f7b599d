"""What the `Table` protocol promises, of all three implementations: nobody need ask which kind a table is."""

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Generator

from isthmus.data.chunks import ChunkedTable
from isthmus.data.dense import DenseTable
from isthmus.data.sparse import SparseTable
from isthmus.data.table import is_sparse

ROWS, COLUMNS = 60, 4
EDGES = [0, 7, 7, 30, 31, ROWS]
RNG = np.random.default_rng(0)
VALUES = RNG.integers(0, 9, (ROWS, COLUMNS)) * RNG.integers(0, 2, (ROWS, COLUMNS))
TYPES = ["bool", "uint8", "uint16", "int64", "float32", "float64"]


def chunked(X):
    return ChunkedTable(np.diff(EDGES).tolist(), lambda i: X[EDGES[i] : EDGES[i + 1]], X.shape[1], X.dtype)


KINDS = {"dense": DenseTable, "sparse": lambda X: SparseTable(scipy.sparse.csr_array(X)), "chunked": chunked}
every = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
every_type = pytest.mark.parametrize("dtype", TYPES)


def generator(seed=0):
    return Generator().manual_seed(seed)


def dense(numbers):
    return numbers.toarray() if is_sparse(numbers) else numbers


@every
@every_type
def test_shape_and_type(make, dtype):
    X = VALUES.astype(dtype)
    table, tensor = make(X), DenseTable(X)[:]
    assert (table.shape, len(table)) == ((ROWS, COLUMNS), ROWS)
    assert (table.dtype, table.device) == (tensor.dtype, torch.device("cpu"))
    assert table.new_empty(3, 2).shape == (3, 2)
    assert table.new_empty(1).dtype == table.dtype
    assert (table.sparse, table.streamed) == (make is KINDS["sparse"], make is chunked)
    share = np.count_nonzero(X) / X.size if table.sparse else 1
    assert table.filled == pytest.approx(share)
    assert table.nbytes == (X.nbytes if make is DenseTable else 0)
    assert table.to(torch.device("cpu")) is table


@every
@every_type
def test_slices_are_numpys(make, dtype):
    X = VALUES.astype(dtype)
    table, tensor = make(X), DenseTable(X)[:]
    for rows in (slice(None), slice(3, 9), slice(6, 32), slice(5, 5), slice(50, 1000), slice(-3, None)):
        assert torch.equal(table[rows], tensor[rows])
        assert table[rows].dtype == table.dtype


@every
@every_type
def test_taken_rows_are_numpys(make, dtype):
    X = VALUES.astype(dtype)
    table, tensor = make(X), DenseTable(X)[:]
    for positions in ([59, 0, 7, 30, 7, 6], [0], [], [5, 5, 5]):
        index = torch.tensor(positions, dtype=torch.int64)
        assert torch.equal(table.take(index), tensor[index])
        out = table.new_empty(len(index), COLUMNS)
        assert table.take(index, out=out) is out
        assert torch.equal(out, tensor[index])


@every
def test_parts_and_drawn_rows(make):
    X = VALUES.astype(np.float32)
    table = make(X)
    part = table.part(slice(5, 33))
    assert part.shape == (28, COLUMNS)
    np.testing.assert_array_equal(part[:].numpy(), X[5:33])
    np.testing.assert_array_equal(part.part(slice(1, 3))[:].numpy(), X[6:8])
    for positions in ([4, 1, 59], [7]):
        found = table.drawn(np.array(positions))
        assert is_sparse(found) == table.sparse
        np.testing.assert_array_equal(dense(found), X[positions])


@every
def test_selected_rows(make):
    X = VALUES.astype(np.float64)
    table, used = make(X), np.arange(ROWS) % 3 > 0
    np.testing.assert_array_equal(table.selected(np.ones(ROWS, dtype=bool))[:].numpy(), X)
    if table.streamed:
        with pytest.raises(ValueError, match="20 sample weights are 0, and rows that are read in chunks cannot be"):
            table.selected(used)
        return
    assert type(table.selected(used)) is type(table)
    np.testing.assert_array_equal(table.selected(used)[:].numpy(), X[used])


@every
@pytest.mark.parametrize("validation", [0, 1, 17, 59])
def test_a_split_is_a_permutation(make, validation):
    table = make(VALUES)
    validated, others = table.split(validation, 20, generator())
    assert (len(validated), len(others)) == (validation, ROWS - validation)
    assert sorted(torch.cat([validated, others[:]]).tolist()) == list(range(ROWS))
    again, others_again = table.split(validation, 20, generator())
    assert torch.equal(validated, again)
    assert torch.equal(others[:], others_again[:])
    other, _ = table.split(17, 20, generator(1))
    assert not torch.equal(other, table.split(17, 20, generator(0))[0])


@every
def test_everything_is_all_rows_in_order(make):
    index = make(VALUES).everything()
    assert index[:].tolist() == list(range(ROWS))
    assert torch.cat(list(index.split(7))).tolist() == list(range(ROWS))


@every
def test_held_rows_stay_the_same(make):
    table = make(VALUES)
    assert table.holdable(ROWS) == ROWS
    index = torch.tensor([40, 3, 12])
    table.hold(index)
    assert table.take(index).tolist() == VALUES[[40, 3, 12]].tolist()
    assert table.take(torch.tensor([41])).tolist() == VALUES[[41]].tolist()


@every
def test_shuffled_rows_come_once(make):
    table = make(VALUES)
    if not table.streamed:
        with pytest.raises(TypeError, match=r"rows in memory are shuffled by their positions: use take\(\)"):
            table.shuffled(table.everything(), generator())
        return
    pieces = list(table.shuffled(table.everything(), generator()))
    positions = torch.cat([piece.positions for piece in pieces])
    assert sorted(positions.tolist()) == list(range(ROWS))
    assert torch.equal(torch.cat([piece.rows for piece in pieces]), torch.from_numpy(VALUES)[positions])


@every
@every_type
@pytest.mark.parametrize("weight", [None, np.random.default_rng(1).uniform(0.5, 2, ROWS)], ids=["equal", "weights"])
def test_the_summary_is_numpys(make, dtype, weight):
    X = VALUES.astype(dtype)
    found = make(X).summary(None if weight is None else torch.from_numpy(weight))
    wide = X.astype(np.float64)
    mean = np.average(wide, axis=0, weights=weight)
    expected = [mean, np.average((wide - mean) ** 2, axis=0, weights=weight), wide.min(0), wide.max(0)]
    for one, other in zip(found[:4], expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-12, atol=1e-12)
        assert one.dtype == torch.float64
    assert found.whole.all()


@every
def test_fractions_are_not_whole(make):
    X = VALUES.astype(np.float32)
    X[31, 2] = 0.5
    assert make(X).summary().whole.tolist() == [True, True, False, True]
