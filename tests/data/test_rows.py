import numpy as np
import pytest
import torch

from isthmus.data.number_types import AS_THEY_COME, as_tensor
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling

CONVERTED = ["uint16", "uint32", "uint64", ">f8", ">i4", "longdouble", "O"]


def table(rows=10, columns=3, dtype="float64"):
    return np.random.default_rng(0).integers(0, 100, (rows, columns)).astype(dtype)


def standard(X):
    return AffineScaling(torch.from_numpy(X.mean(0)), torch.from_numpy(X.std(0)))


@pytest.mark.parametrize("dtype", AS_THEY_COME, ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_is_shared(dtype, order):
    X = np.asarray(table(dtype=dtype), order=order)
    raw = Rows(X).table.values
    assert raw.data_ptr() == X.ctypes.data
    np.testing.assert_array_equal(raw.numpy(), X)
    assert raw.numpy().dtype == dtype


def test_views_share_memory_too():
    X = table(20, 8)
    for view in (X[::2], X[:, ::2], X[3:9, 1:4], X.T, np.broadcast_to(X[0], (5, 8))):
        raw = as_tensor(view)
        assert raw.data_ptr() == view.ctypes.data
        np.testing.assert_array_equal(raw.numpy(), view)


@pytest.mark.parametrize("dtype", CONVERTED)
def test_other_number_types_are_converted(dtype):
    raw = as_tensor(table(dtype=dtype))
    assert raw.dtype == torch.float64
    np.testing.assert_array_equal(raw.numpy(), table())


def test_bool_takes_a_byte():
    X = table() > 50
    assert as_tensor(X).dtype == torch.uint8
    np.testing.assert_array_equal(as_tensor(X).numpy(), X)


def test_strides_that_torch_does_not_know():
    X = table()
    packed = np.zeros(10, dtype=[("flag", "u1"), ("values", "f8", 3)])
    packed["values"] = X
    for view in (packed["values"], X[::-1], X[:, ::-1]):
        np.testing.assert_array_equal(as_tensor(view).numpy(), view)


def test_read_only_arrays_and_memory_maps(tmp_path):
    X = table()
    X.flags.writeable = False
    assert as_tensor(X).data_ptr() == X.ctypes.data  # and no warning, which would be an error here
    table().tofile(tmp_path / "table")
    for mode in ("r", "r+", "c"):
        mapped = np.memmap(tmp_path / "table", np.float64, mode, shape=(10, 3))
        np.testing.assert_array_equal(Rows(mapped).table.values.numpy(), table())


def test_length():
    assert len(Rows(table(7))) == 7


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batch_gives_these_rows_and_weights(dtype):
    X, weight = table(), np.arange(10.0)
    index = torch.tensor([3, 0, 3, 9])
    x, w = Rows(X, weight, dtype=dtype).batch(index)
    assert (x.dtype, w.dtype) == (dtype, dtype)
    np.testing.assert_array_equal(x.numpy(), X[index])
    np.testing.assert_array_equal(w.numpy(), weight[index])
    assert Rows(X).batch(index)[1] is None


def test_batch_is_scaled():
    X = table()
    x, _ = Rows(X, scaling=standard(X), dtype=torch.float64).batch(torch.arange(10))
    np.testing.assert_allclose(x.numpy(), (X - X.mean(0)) / X.std(0), rtol=1e-14)


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_blocks_are_all_rows_in_their_order(size):
    X, weight = table(), np.arange(10.0)
    rows = Rows(X, weight, standard(X), torch.float64)
    x, w = zip(*rows.blocks(size), strict=True)
    whole, whole_weight = rows.batch(torch.arange(10))
    assert torch.equal(torch.cat(x), whole)
    assert torch.equal(torch.cat(w), whole_weight)
    assert max(map(len, x)) <= size
    assert [w for _, w in Rows(X).blocks(size)] == [None] * len(x)


def test_a_table_that_is_not_resident_goes_over_in_batches():
    X, weight, index = table(), np.arange(10.0), torch.tensor([1, 5])
    for resident in (True, False):
        rows = Rows(X, weight, standard(X), torch.float32, "meta", resident)
        assert rows.table.device.type == ("meta" if resident else "cpu")
        assert rows.device.type == "meta"
        for x, w in (rows.batch(index), *rows.blocks(4)):
            assert (x.device.type, w.device.type, x.dtype, w.dtype) == ("meta", "meta", torch.float32, torch.float32)


def test_the_scaling_stays_where_it_is():
    scaling = standard(table())
    Rows(table(), scaling=scaling, device="meta")
    assert scaling.shift.device.type == "cpu"


def assert_summary(summary, X, weight=None, rtol=1e-12):
    X = X.astype(np.float64)
    mean = np.average(X, 0, weight)
    np.testing.assert_allclose(summary.mean, mean, rtol=rtol)
    np.testing.assert_allclose(summary.variance, np.average((X - mean) ** 2, 0, weight), rtol=rtol, atol=1e-30)
    np.testing.assert_array_equal(summary.smallest, X.min(0))
    np.testing.assert_array_equal(summary.largest, X.max(0))
    np.testing.assert_array_equal(summary.whole, (np.round(X) == X).all(0))
    assert {tensor.dtype for tensor in summary[:4]} == {torch.float64}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("rows", [1, 10, 4096, 9000])
def test_summary_is_numpys(dtype, rows):
    X = table(rows, dtype=dtype)
    assert_summary(Rows(X).summary(), X)


def test_summary_with_weights():
    rng = np.random.default_rng(1)
    X, weight = rng.normal(size=(9000, 4)), rng.uniform(0.1, 3, 9000)
    assert_summary(Rows(X, weight, dtype=torch.float64).summary(), X, weight)


def test_integer_weights_are_repeated_rows():
    rng = np.random.default_rng(2)
    X, weight = rng.normal(size=(50, 4)), rng.integers(1, 4, 50)
    weighted = Rows(X, weight.astype(float)).summary()
    assert_summary(weighted, np.repeat(X, weight, axis=0))


def test_variance_survives_an_offset():
    X = 1e9 + np.random.default_rng(3).normal(size=(5000, 2))
    assert_summary(Rows(X).summary(), X, rtol=1e-9)


def test_whole_and_binary():
    X = np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.5], [1.0, 0.0, 1.0]])
    assert Rows(X).summary().whole.tolist() == [True, True, False]
    assert not Rows(X).summary().binary
    assert Rows(X[:, :2]).summary().binary
    assert Rows(X[:, :2] > 0).summary().binary
    assert not Rows(2 * X[:, :2]).summary().binary
    assert not Rows(-X[:, :2]).summary().binary


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 100_000)])
def test_rounding_of_a_long_sum_is_no_variance(weight):
    summary = Rows(np.full((100_000, 1), 0.1), weight, dtype=torch.float64).summary()
    np.testing.assert_allclose(summary.mean, 0.1, rtol=1e-15)
    assert float(summary.variance) <= (1e-16) ** 2


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 500)])
def test_summary_does_not_depend_on_the_order_in_memory(weight):
    X = np.random.default_rng(4).normal(size=(500, 7))
    one, other = (Rows(np.asarray(X, order=order), weight, dtype=torch.float64).summary() for order in "CF")
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("scaled", [False, True])
def test_batches_gathered_ahead_are_the_same(weighted, dtype, scaled):
    X = np.random.default_rng(0).integers(0, 255, (50, 4)).astype(dtype)
    scaling = AffineScaling(torch.full((4,), 3.0, dtype=torch.float64), torch.arange(1.0, 5.0, dtype=torch.float64))
    rows = Rows(X, np.arange(50.0) if weighted else None, scaling if scaled else None)
    assert not rows.prefetches
    indices = torch.randperm(50, generator=torch.Generator().manual_seed(0)).tensor_split(7)
    expected = [(x.clone(), weight) for x, weight in rows.batches(indices)]
    rows.prefetches = True  # as where a GPU cannot hold the table
    for (x, weight), (other, other_weight), index in zip(expected, rows.batches(indices), indices, strict=True):
        assert torch.equal(x, other)
        assert torch.equal(x, rows.batch(index)[0])
        assert (weight is None and other_weight is None) or torch.equal(weight, other_weight)


def test_rows_that_are_scaled_once_are_those_of_the_blocks():
    X = table(9000)
    rows = Rows(X, scaling=standard(X))
    once = Rows(rows.scaled_once())
    assert once.table.dtype == torch.float32
    for index in (torch.tensor([3, 8999, 4096]), torch.arange(9000)):
        torch.testing.assert_close(once.batch(index)[0], rows.batch(index)[0], rtol=0, atol=0)
