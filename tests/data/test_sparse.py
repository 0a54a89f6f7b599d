import numpy as np
import pytest
import scipy.sparse
import torch

from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.data.sparse import SparseTable

DENSE = np.random.default_rng(0).integers(0, 3, (40, 7)) * np.random.default_rng(1).integers(0, 2, (40, 7))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_rows_are_the_dense_ones(dtype):
    dense = torch.from_numpy(DENSE.astype(dtype))
    table = SparseTable(scipy.sparse.csr_array(DENSE.astype(dtype)))
    assert (table.dtype, table.shape, len(table)) == (dense.dtype, (40, 7), 40)
    for rows in (slice(3, 9), slice(None)):
        assert torch.equal(table[rows], dense[rows])
    index = torch.tensor([5, 0, 39, 5])
    assert torch.equal(table.take(index), dense[index])
    out = torch.full((4, 7), 9, dtype=dense.dtype)
    assert table.take(index, out=out) is out
    assert torch.equal(out, dense[index])


def test_entries_that_are_there_twice_are_added():
    twice = scipy.sparse.csr_array((np.ones(3), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    assert SparseTable(twice)[:].tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 40)])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "float32"])
def test_rows_of_both_kinds_are_the_same(dtype, weight):
    X = DENSE.astype(dtype)
    scaling = AffineScaling(torch.full((7,), 0.5, dtype=torch.float64), torch.arange(1.0, 8.0, dtype=torch.float64))
    dense, sparse = (Rows(x, weight, scaling) for x in (X, scipy.sparse.csr_array(X)))
    assert sparse.narrow == dense.narrow
    for one, other in zip(dense.summary(), sparse.summary(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-14)
    index = torch.randperm(40, generator=torch.Generator().manual_seed(0)).tensor_split(3)
    for (x, w), (y, v) in zip(dense.batches(index), sparse.batches(index), strict=True):
        assert torch.equal(x, y)
        assert w is v is None or torch.equal(w, v)
