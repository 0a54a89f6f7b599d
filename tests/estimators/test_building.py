import numpy as np
import pytest
import scipy.sparse
import torch

from isthmus import AutoEncoder, Bernoulli, Compute, Dense, Gaussian, Linear, Poisson
from isthmus.data.reading import learn_table
from isthmus.engine import devices
from isthmus.estimators import rules
from isthmus.estimators.building import build, composition_of, fix_variance
from isthmus.estimators.units import choose_units
from isthmus.estimators.validation import HeldOut
from isthmus.parts.mixed import Mixed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(150, 5))
COUNTS = RNG.poisson(3, size=(150, 5))
BITS = RNG.integers(0, 2, size=(150, 5))
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)


def parameters(**settings):
    layers = {} if "encoder" in settings else {"hidden": (6,)}
    return AutoEncoder(**{"latent": 2, "random_state": 0, "compute": Compute(threads=1)} | layers | settings)


def built(X, n_validation=15, **settings):
    estimator = parameters(**settings)
    table, schema = learn_table(X, caller="Test")
    plan = rules.plan(estimator, len(table) - n_validation, n_validation)
    return build(estimator, table, schema, None, HeldOut(n_validation), plan)


def units(X, **settings):
    table, schema = learn_table(X, caller="Test")
    return choose_units(parameters(**settings), table, schema, None, open_ended=False)


@pytest.mark.parametrize(
    ("X", "settings", "likelihood", "standard"),
    [
        (X, {}, Gaussian(), True),
        (BITS, {}, Bernoulli(), False),
        (BITS * 0.5, {}, Gaussian(activation="sigmoid"), False),
        (COUNTS, {"likelihood": "poisson"}, Poisson(), False),
        (scipy.sparse.csr_array(BITS), {}, Bernoulli(), False),
        (X, {"scale": None}, Gaussian(), False),
    ],
)
def test_units_are_chosen_by_the_data(X, settings, likelihood, standard):
    found = units(X, **settings)
    assert found.likelihood == likelihood
    x = found.scaling(torch.from_numpy(X.toarray() if scipy.sparse.issparse(X) else X), torch.float64)
    assert bool(torch.allclose(x.std(0, correction=0), torch.ones(5, dtype=torch.float64))) == standard
    np.testing.assert_allclose(found.stream.moments.all.mean, X.mean(0), rtol=1e-9, atol=1e-12)


def test_tables_of_several_kinds_have_a_likelihood_of_their_own():
    found = units(GAPS)
    assert isinstance(found.likelihood, Mixed)
    assert found.scaling.cells == 5


@pytest.mark.parametrize(("dtype", "expected"), [("float64", torch.float64), ("float32", torch.float32)])
def test_weights_are_as_wide_as_the_data(dtype, expected):
    assert units(X.astype(dtype)).dtype == expected
    assert units(X.astype(dtype), compute=Compute(precision="float32")).dtype == torch.float32


@pytest.mark.parametrize(
    ("X", "settings", "message"),
    [
        (X, {"likelihood": "bernoulli"}, r"likelihood Bernoulli needs values in \[0, 1\], but column 0 goes from"),
        (X, {"likelihood": "poisson"}, "likelihood Poisson needs values of at least 0"),
        (COUNTS + 0.5, {"likelihood": "poisson"}, "counts, so it needs whole numbers, but column 0 has fractions"),
        (COUNTS, {"likelihood": "poisson", "scale": "global"}, "column 0 is scaled: take scale='none'"),
    ],
)
def test_values_outside_the_likelihood(X, settings, message):
    with pytest.raises(ValueError, match=message):
        units(X, **settings)


def test_hidden_means_dense():
    schema = learn_table(X, caller="Test")[1]
    found = composition_of(parameters(activation="tanh"), schema, None, units(X), 3)
    assert (found.encoder, found.latent, found.cells) == (Dense((6,), "tanh"), 3, 5)
    assert composition_of(parameters(encoder="linear"), schema, None, units(X), 3).encoder == "linear"
    assert composition_of(parameters(encoder=Linear()), schema, None, units(X), 3).encoder == Linear()


def test_rows_are_to_train_on_or_to_validate():
    found = built(X)
    positions = torch.cat([found.validation, found.training[:]])
    assert (len(found.validation), sorted(positions.tolist())) == (15, list(range(150)))


def test_first_weights_do_not_depend_on_how_many_rows_there_are_to_shuffle():
    one, other = (built(np.tile(X, (n, 1)), 0, init="orthogonal").network.state_dict() for n in (1, 2))
    matrices = [name for name, tensor in one.items() if tensor.ndim == 2]
    assert len(matrices) == 4
    for name in matrices[:2]:
        assert torch.equal(one[name], other[name])


@pytest.mark.parametrize("init", ["pca", "orthogonal", "torch"])
def test_same_seed_same_weights(init):
    one, same, other = (built(X, init=init, random_state=seed).network.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_it_starts_at_pca():
    found = built(X, 0)
    assert found.start.startswith("pca")
    x = found.rows.scaled(found.rows.table[:])
    centred = (x - x.mean(0)).numpy()
    _, _, vectors = np.linalg.svd(centred, full_matrices=False)
    pca = centred @ vectors[:2].T @ vectors[:2]
    with torch.no_grad():
        rebuilt = found.network.eval().decode(found.network.encode(x).mean).numpy() - x.mean(0).numpy()
    assert np.mean((rebuilt - centred) ** 2) <= np.mean((pca - centred) ** 2) * 1.2


def test_a_share_takes_as_many_components_as_explain_it():
    assert built(X, latent=0.9).network.code.latent == 2


def test_the_variance_is_the_mean_squared_error():
    found = built(X)
    index = torch.arange(50, 100)
    fix_variance(found.network, found.rows, index)
    x = found.rows.batch(index)[0]
    with torch.no_grad():
        error = (found.network.decode(found.network.encode(x).mean) - x).square().mean()
    torch.testing.assert_close(found.network.likelihood.variance, error, check_dtype=False, rtol=1e-6, atol=0)


def test_unknown_starts():
    with pytest.raises(ValueError, match="unknown init 'pcaa'; did you mean 'pca'"):
        built(X, init="pcaa")


@pytest.mark.parametrize(("memory", "scaled"), [(2**40, True), (1000, False)])
def test_a_table_of_several_kinds_is_scaled_once_where_there_is_room(memory, scaled, monkeypatch):
    monkeypatch.setattr(devices, "memory", lambda: memory)
    found = built(GAPS)
    assert (found.rows.scaling is None) == scaled
    monkeypatch.setattr(devices, "memory", lambda: 2**40 - memory)
    other = built(GAPS)
    index = torch.arange(len(GAPS))
    torch.testing.assert_close(found.rows.batch(index)[0], other.rows.batch(index)[0], rtol=0, atol=0, equal_nan=True)
    assert built(X).rows.scaling is not None
