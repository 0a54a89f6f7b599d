import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus import AutoEncoder, Compute, Gaussian, Mixed, StudentT
from isthmus.core.initialisation import initialise
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.engine.inference import BLOCK, column_errors, loss_ratio, map_rows, mean_squared_error
from isthmus.parts.composition import compose

LENGTHS = [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 7]


def table(rows, columns=4, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(dtype)


class Recorder:
    """Doubles the rows, and remembers what it was asked."""

    def __init__(self):
        self.blocks = []

    def __call__(self, x):
        self.blocks.append(x.clone())
        return 2 * x


@pytest.mark.parametrize("length", LENGTHS)
def test_every_row_once_in_its_order(length):
    X = table(length)
    result = map_rows(lambda x: 2 * x, Rows(X, dtype=torch.float64), 4)
    np.testing.assert_array_equal(result, 2 * X)


@pytest.mark.parametrize("length", LENGTHS)
def test_one_number_a_row(length):
    X = table(length)
    result = map_rows(lambda x: x[:, 1], Rows(X, dtype=torch.float64), None)
    np.testing.assert_array_equal(result, X[:, 1])


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_have_one_shape_and_order(length, order):
    recorder = Recorder()
    map_rows(recorder, Rows(np.asarray(table(length), order=order), dtype=torch.float64), 4)
    assert {(block.shape, block.stride()) for block in recorder.blocks} == {((BLOCK, 4), (4, 1))}
    assert len(recorder.blocks) == -(-length // BLOCK)


def test_padding_is_of_rows_that_are_legal():
    recorder = Recorder()
    X = table(BLOCK + 3)
    map_rows(recorder, Rows(X, dtype=torch.float64), 4)
    np.testing.assert_array_equal(recorder.blocks[1][:3], X[BLOCK:])
    np.testing.assert_array_equal(recorder.blocks[1][3:], np.broadcast_to(X[BLOCK], (BLOCK - 3, 4)))


def test_rows_are_scaled():
    X = table(5)
    scaling = AffineScaling(torch.full((4,), 3.0, dtype=torch.float64), torch.full((4,), 2.0, dtype=torch.float64))
    result = map_rows(lambda x: x, Rows(X, scaling=scaling, dtype=torch.float64), 4)
    np.testing.assert_array_equal(result, (X - 3) / 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_is_the_functions(dtype):
    for raw in ("uint8", "float32", "float64"):
        result = map_rows(lambda x: x, Rows(table(3, dtype=raw), dtype=dtype), 4)
        assert result.dtype == np.dtype(str(dtype).removeprefix("torch."))


def test_no_gradient_is_kept():
    weight = torch.ones(4, requires_grad=True)
    result = map_rows(lambda x: x * weight, Rows(table(3), dtype=torch.float32), 4)
    assert isinstance(result, np.ndarray)
    assert weight.grad is None


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_the_data_are_not_written_to(dtype):
    X = table(BLOCK + 3, dtype=dtype)
    before = X.copy()
    map_rows(lambda x: x.zero_(), Rows(X, dtype=torch.float32), 4)
    np.testing.assert_array_equal(X, before)


def orders(X):
    """Many ways in which a row can come: (rows as they are given, where the rows of X are among them)."""
    permuted = np.random.default_rng(1).permutation(len(X))
    yield X[permuted], permuted
    yield X[::-1], np.arange(len(X))[::-1]
    yield np.asfortranarray(X), np.arange(len(X))
    yield np.repeat(X, 2, axis=1)[:, ::2], np.arange(len(X))
    yield X[3:], np.arange(3, len(X))
    yield X[7:8], np.array([7])
    yield X[BLOCK : BLOCK + 2], np.array([BLOCK, BLOCK + 1])
    shifted = np.frombuffer(b"\0" * X.itemsize + X.tobytes(), X.dtype, offset=X.itemsize).reshape(X.shape)
    yield shifted, np.arange(len(X))


def assert_rows_are_on_their_own(function, X):
    whole = function(X)
    for given, index in orders(X):
        np.testing.assert_array_equal(function(given), whole[index])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_has_the_same_bits_in_any_company(dtype):
    kind = getattr(torch, dtype)
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(16, 32, generator=generator, dtype=kind) for _ in range(2))

    def network(x):
        return functional.linear(functional.silu(functional.linear(x, first.T)), second)

    assert_rows_are_on_their_own(lambda X: map_rows(network, Rows(X, dtype=kind), 16), table(2 * BLOCK + 50, 16, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("columns", "settings"),
    [
        (7, {"latent": 2, "hidden": (8,)}),
        (13, {"latent": 3, "hidden": (7,), "decoder": "tied"}),
        (16, {"latent": 3, "hidden": (5, 4), "likelihood": Gaussian("learned"), "init": "torch"}),
        (33, {"latent": 4, "hidden": (), "penalty": "l1"}),
    ],
)
def test_also_where_rows_begin_at_odd_places(columns, settings, dtype):
    X = table(2 * BLOCK + 50, columns, dtype)
    model = AutoEncoder(**settings, epochs=1, compute=Compute(precision=dtype), random_state=0).fit(X)
    for method in (model.transform, model.reconstruct, model.score_samples, model.reconstruction_error):
        assert_rows_are_on_their_own(method, X)


# -- errors over many rows ---------------------------------------------------------------------------------------------


def with_gaps(rows=400, columns=5):
    X = table(rows, columns)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    X[7] = np.nan
    return X


def network_of(likelihood, X, columns=5):
    network = compose(columns, 2, likelihood=likelihood).double()
    initialise(network, "torch", torch.Generator().manual_seed(0))
    network.likelihood.look(torch.from_numpy(X))
    return network.eval()


MIXED = Mixed((Gaussian("columns"), StudentT()), (3, 2))
WEIGHT = np.random.default_rng(2).uniform(0.1, 2, 400)


@pytest.fixture(params=[None, 37])
def block(request, monkeypatch):
    """All rows at once, or some at a time."""
    if request.param is not None:
        monkeypatch.setattr(Rows, "block", request.param)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
@pytest.mark.parametrize("some", [None, slice(3, 390, 2)], ids=["all", "some"])
def test_errors_of_columns_are_of_the_cells_that_are_there(block, weight, some):
    X = with_gaps()
    network, rows = network_of(MIXED, X), Rows(X, weight, dtype=torch.float64)
    index = rows.everything() if some is None else torch.arange(len(X))[some]
    with torch.no_grad():
        squares = (X - network.decode(network.encode(torch.from_numpy(X)).z).numpy())[index] ** 2
    there, counts = ~np.isnan(squares), np.ones(400)[index] if weight is None else weight[index]
    expected = [np.average(one[seen], weights=counts[seen]) for one, seen in zip(squares.T, there.T, strict=True)]
    np.testing.assert_allclose(column_errors(network, rows, index), expected, rtol=1e-12)
    np.testing.assert_allclose(mean_squared_error(network, rows, index), np.mean(expected), rtol=1e-12)


def test_a_column_without_cells_has_no_error():
    X = with_gaps()
    X[:, 1] = np.nan
    network, rows = network_of(MIXED, X), Rows(X, dtype=torch.float64)
    errors = column_errors(network, rows, rows.everything())
    assert errors[1] == 0
    assert torch.isfinite(errors).all()


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
def test_the_share_that_stays_unexplained_is_the_mean_of_the_rows(block, weight):
    X = with_gaps()
    network, rows = network_of(MIXED, X), Rows(X, weight, dtype=torch.float64)
    with torch.no_grad():
        x = torch.from_numpy(X)
        shares = network.likelihood.loss_ratios(x, network(x).theta).numpy()
    assert loss_ratio(network, rows, rows.everything()) == pytest.approx(np.average(shares, weights=weight), rel=1e-12)


def test_nothing_is_unexplained_where_training_goes_by_the_score():
    X = table(50, 5)
    network = network_of(Gaussian(), X)
    rows = Rows(X, dtype=torch.float64)
    assert loss_ratio(network, rows, rows.everything()) is None
