from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute, Gaussian, load
from isthmus.data.scaling import AffineScaling
from isthmus.estimators.rescaling import UnitChange, can_rescale, rescale

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 2)) @ RNG.normal(size=(2, 5)) * [1, 10, 0.1, 3, 1] + [0, 100, 3, 0, -4]


def model(**settings):
    return AutoEncoder(**{"latent": 2, "hidden": (16,), "epochs": 5, "random_state": 0} | settings)


def between(before, after):
    return UnitChange.between(before.shift, before.scale, after.shift, after.scale)


@pytest.mark.parametrize("hidden", [(), (8,), (12, 6)])
def test_other_units_same_function(hidden):
    ae = model(hidden=hidden, compute=Compute(precision="float64")).fit(X[:200])
    before = ae.transform(X), ae.reconstruct(X)
    scaling = AffineScaling(ae.scaling_.shift + 1.5, ae.scaling_.scale * torch.linspace(0.5, 2, 5, dtype=torch.float64))
    rescale(ae.network_, None, between(ae.scaling_, scaling))
    ae.model_ = replace(ae.model_, scaling=scaling)
    np.testing.assert_allclose(ae.transform(X), before[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ae.reconstruct(X), before[1], rtol=1e-9, atol=1e-9)


def test_variances_of_columns_change_their_units():
    ae = model(likelihood=Gaussian("columns"), compute=Compute(precision="float64")).fit(X[:200])
    before = ae.score_samples(X)
    scaling = AffineScaling(ae.scaling_.shift + 1.5, ae.scaling_.scale * torch.linspace(0.5, 2, 5, dtype=torch.float64))
    rescale(ae.network_, None, between(ae.scaling_, scaling))
    ae.model_ = replace(ae.model_, scaling=scaling)
    np.testing.assert_allclose(ae.score_samples(X), before, rtol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_what_adam_remembers_changes_by_the_chain_rule(shift):
    ae = model(compute=Compute(precision="float64")).partial_fit(X)
    network, optimiser, x = ae.network_, ae.model_.record.stream.optimiser, torch.from_numpy(X)
    moved = ae.scaling_.shift + shift * ae.scaling_.scale
    scaling = AffineScaling(moved, ae.scaling_.scale * torch.linspace(0.5, 2, 5, dtype=torch.float64))

    def gradients(units):
        network.zero_grad()
        # The same loss, in the data's own units.
        theta = network.decode(network.encode(units(x, torch.float64)).z)
        (units.inverse(theta) - x).square().sum().backward()
        return [parameter.grad.clone() for parameter in network.parameters()]

    for parameter, gradient in zip(network.parameters(), gradients(ae.scaling_), strict=True):
        optimiser.state[parameter] |= {"exp_avg": gradient.clone(), "exp_avg_sq": gradient.square()}
    rescale(network, optimiser, between(ae.scaling_, scaling))
    for parameter, gradient in zip(network.parameters(), gradients(scaling), strict=True):
        torch.testing.assert_close(optimiser.state[parameter]["exp_avg"], gradient)
        if not shift:
            torch.testing.assert_close(optimiser.state[parameter]["exp_avg_sq"], gradient.square())


@pytest.mark.parametrize(
    ("settings", "follows"),
    [
        ({}, True),
        ({"likelihood": "laplace"}, False),
        ({"decoder": "tied"}, False),
        ({"scale": "minmax", "likelihood": "gaussian"}, False),
        ({"scale": "none"}, False),
    ],
)
def test_scaling_follows_the_stream_where_it_can(settings, follows):
    ae = model(**settings)
    for rows in np.split(X[np.argsort(X[:, 0])], 4):
        ae.partial_fit(rows)
    alone = model(**settings).partial_fit(X[np.argsort(X[:, 0])][:100]).scaling_
    expected = AffineScaling(torch.from_numpy(X.mean(0)), torch.from_numpy(X.std(0))) if follows else alone
    torch.testing.assert_close(ae.scaling_.shift, expected.shift)
    torch.testing.assert_close(ae.scaling_.scale, expected.scale)


def test_a_first_chunk_that_is_not_like_the_rest():
    order = np.argsort(X[:, 0])
    ae = model(validation=0.0)
    for _ in range(30):
        for rows in np.array_split(X[order], 8):
            ae.partial_fit(rows)
    assert ae.reconstruction_error(X).mean() < 0.05 * X.var(0).mean()


def test_weights_count(tmp_path):
    weight = RNG.integers(1, 4, 400).astype(float)
    ae = model().partial_fit(X[:200], sample_weight=weight[:200])
    mean = np.average(X[:200], axis=0, weights=weight[:200])
    np.testing.assert_allclose(ae.scaling_.shift, mean)
    assert can_rescale(ae.network_)


def test_a_loaded_model_goes_on_with_the_statistics(tmp_path):
    ae = model().partial_fit(X[:100])
    ae.save(tmp_path / "model.isthmus")
    loaded = load(tmp_path / "model.isthmus")
    for one in (ae, loaded):
        one.partial_fit(X[100:])
    torch.testing.assert_close(loaded.scaling_.shift, torch.from_numpy(X.mean(0)))
    assert torch.equal(loaded.scaling_.scale, ae.scaling_.scale)


def test_a_fit_counts_as_rows_seen():
    ae = model().fit(X[:300]).partial_fit(X[300:])
    torch.testing.assert_close(ae.scaling_.shift, torch.from_numpy(X.mean(0)))
