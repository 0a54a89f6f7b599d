import numpy as np
import pytest
import scipy.sparse
import torch

from isthmus.data import moments
from isthmus.data.moments import Moments, RunningMoments, block_rows, summarise, summarise_sparse

X = np.random.default_rng(0).normal(1e6, 2, (500, 4)).round(2)
X[:, 1] = np.arange(500)
WEIGHT = np.random.default_rng(1).uniform(0.1, 3, 500)


def of_blocks(X, weight=None, size=100, fractions=True):
    rows = torch.from_numpy(X.astype(np.float64))
    weights = torch.ones(len(X), dtype=torch.float64) if weight is None else torch.from_numpy(weight)
    return summarise(lambda: zip(rows.split(size), weights.split(size), strict=True), X.shape[1], fractions)


def assert_same(one, other, rtol=1e-10, atol=1e-12):
    for name, found, expected in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(found, expected, rtol=rtol, atol=atol, msg=lambda text, name=name: f"{name}: {text}")


# -- dense tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 500])
def test_a_dense_table_has_the_statistics_of_numpy(size):
    found = of_blocks(X, size=size)
    torch.testing.assert_close(found.mean, torch.from_numpy(X.mean(0)), rtol=1e-14, atol=0)
    torch.testing.assert_close(found.variance, torch.from_numpy(X.var(0)), rtol=1e-9, atol=0)
    assert torch.equal(found.smallest, torch.from_numpy(X.min(0)))
    assert torch.equal(found.largest, torch.from_numpy(X.max(0)))
    assert found.whole.tolist() == [False, True, False, False]


def test_weights_are_repetitions_of_rows():
    often = np.random.default_rng(2).integers(1, 4, 500)
    assert_same(of_blocks(X, often.astype(float)), of_blocks(np.repeat(X, often, axis=0)))


def test_a_large_offset_does_not_cost_the_variance_its_digits():
    steps = np.tile([0.0, 1.0], 5000)[:, None]
    assert of_blocks(1e9 + steps, size=3).variance.item() == pytest.approx(0.25, rel=1e-9)


def test_tables_of_integers_need_no_check_for_fractions():
    assert_same(of_blocks(X.round(), fractions=False), of_blocks(X.round()))


@pytest.mark.parametrize(("values", "binary"), [([0, 1, 1], True), ([0, 0.5, 1], False), ([0, 1, 2], False)])
def test_binary_tables(values, binary):
    assert of_blocks(np.array(values, dtype=float)[:, None]).binary == binary


# -- sparse tables -----------------------------------------------------------------------------------------------------


def with_zeros(dtype="float64"):
    """Columns that are empty, full, half empty, negative, with fractions, far from 0."""
    rng = np.random.default_rng(0)
    n = 60
    table = np.zeros((n, 7))
    table[:, 1] = rng.integers(1, 9, n)
    table[::2, 2] = rng.integers(1, 9, n // 2)
    table[::3, 3] = -rng.integers(1, 9, n // 3)
    table[5, 4] = 0.25
    table[:, 5] = 1e6 + rng.random(n)
    table[1:, 6] = 3
    return table.astype(dtype)


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 60)])
@pytest.mark.parametrize("entries", [1, 7, 2**20])
def test_a_sparse_table_has_the_statistics_of_the_dense_one(weight, entries, monkeypatch):
    monkeypatch.setattr(moments, "ENTRIES", entries)
    dense = of_blocks(with_zeros(), weight)
    assert_same(summarise_sparse(scipy.sparse.csr_array(with_zeros()), weight), dense, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "uint16", "float32"])
def test_sparse_tables_of_any_number_type(dtype):
    table = with_zeros(dtype)
    assert_same(summarise_sparse(scipy.sparse.csr_array(table)), of_blocks(table), rtol=1e-12, atol=0)


def test_stored_zeros_count_as_zeros():
    table = scipy.sparse.csr_array(with_zeros())
    table.data[::4] = 0
    assert_same(summarise_sparse(table), of_blocks(table.toarray()), rtol=1e-12, atol=0)


def test_a_sparse_table_without_entries():
    found = summarise_sparse(scipy.sparse.csr_array((4, 3)))
    assert [part.tolist() for part in found] == [[0, 0, 0]] * 4 + [[True] * 3]


# -- rows that arrive in blocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("size", [1, 7, 500])
def test_blocks_give_what_the_whole_table_gives(weight, size):
    running = RunningMoments(4)
    for start in range(0, 500, size):
        some = None if weight is None else torch.from_numpy(weight[start : start + size])
        running.add(torch.from_numpy(X[start : start + size]), some)
    assert_same(running.summary, of_blocks(X, weight))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float16, torch.float64])
@pytest.mark.parametrize("weight", [None, torch.from_numpy(WEIGHT)])
def test_rows_of_any_number_type_are_added_in_blocks(dtype, weight, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK_CELLS", 4 * 64)
    assert block_rows(4) == 64
    rows = torch.from_numpy(X % 100).to(dtype)
    running = RunningMoments(4)
    running.add_rows(rows, weight)
    assert_same(running.summary, of_blocks(rows.double().numpy(), None if weight is None else weight.numpy()))


def test_joined():
    one, other = RunningMoments(4), RunningMoments(4)
    one.add(torch.from_numpy(X[:100]))
    other.add(torch.from_numpy(X[100:]))
    one.join(other)
    assert one.total == 500
    assert_same(one.summary, of_blocks(X))


def test_no_rows_change_nothing():
    running = RunningMoments(4)
    running.add(torch.from_numpy(X))
    before = running.summary
    running.add(torch.empty(0, 4, dtype=torch.float64))
    running.add_rows(torch.empty(0, 4, dtype=torch.uint8))
    assert_same(running.summary, before)


# -- one column --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_values_of_a_column_are_merged(weight):
    found = Moments()
    for some in np.array_split(np.arange(500), 7):
        found = found.including(X[some, 0], None if weight is None else weight[some])
    assert found.mean == pytest.approx(np.average(X[:, 0], weights=weight), rel=1e-14)
    assert found.weight == pytest.approx(500 if weight is None else weight.sum())
    variance = np.average((X[:, 0] - found.mean) ** 2, weights=weight)
    assert found.squares / found.weight == pytest.approx(variance)


def test_no_values_and_values_of_almost_no_weight():
    assert Moments().including(np.empty(0)) == Moments()
    assert Moments().including(np.ones(2), np.zeros(2) + 1e-300).mean == 1
