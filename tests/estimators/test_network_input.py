import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute
from isthmus.core.likelihood import LikelihoodModule
from isthmus.data.moments import Ends
from isthmus.estimators.network_input import LIMIT, NetworkInput, is_bounded, refuse_outside_of

RNG = np.random.default_rng(0)
LOADINGS = RNG.normal(size=(2, 5))
X = RNG.normal(size=(400, 2)) @ LOADINGS + 0.05 * RNG.normal(size=(400, 5))


def fitted(X, **settings):
    settings = {"latent": 2, "hidden": (), "epochs": 2, "random_state": 0} | settings
    return AutoEncoder(**settings).fit(X).model_


def seen(model, rows):
    return NetworkInput(model, torch.device("cpu")).look(torch.from_numpy(np.array(rows)))


def test_ordinary_rows_are_seen_as_they_are():
    model = fitted(X)
    found = seen(model, X)
    assert (found.apart, found.cells) == (None, None)
    assert torch.equal(found.x, model.scaling(torch.from_numpy(X), model.dtype))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("value", [1e19, 1e39, 1e100, -1e300])
def test_far_cells_are_seen_at_the_limit_and_kept_for_the_score(precision, value):
    model = fitted(X, compute=Compute(precision=precision))
    rows = X[:3].copy()
    rows[1, 2] = value
    found = seen(model, rows)
    assert found.apart.tolist() == [False, True, False]
    assert found.x[1, 2] == np.sign(value) * LIMIT
    assert torch.isfinite(found.cells.square()).all()
    ordinary = seen(model, X[:3]).x
    others = torch.ones_like(ordinary, dtype=torch.bool)
    others[1, 2] = False
    assert torch.equal(found.x[others], ordinary[others])


def test_the_limit_is_far_beyond_the_rows_of_training():
    """Where data are not scaled, a network may have learned from large numbers."""
    model = fitted(1e8 * X, scale="none")
    rows = 1e9 * X[:3]
    assert torch.equal(seen(model, rows).x, torch.from_numpy(rows).to(model.dtype))


def test_a_missing_cell_is_the_regression_on_the_others():
    """For a linear autoencoder that is trained to PCA: least squares on the loadings, given the observed cells."""
    model = fitted(X, epochs=30)
    network = model.network
    scaled = model.scaling(torch.from_numpy(X[:50]), model.dtype)
    gaps = X[:50].copy()
    gaps[:, 3] = np.nan
    found = seen(model, gaps)
    assert torch.equal(found.cells.isnan().nonzero()[:, 1], torch.full((50,), 3))
    guess = found.x[:, 3]
    # The guess is its own reconstruction, which is near the true value; the mean is not.
    torch.testing.assert_close(guess, network.reconstruct(found.x)[:, 3], atol=0.02, rtol=0)
    assert (guess - scaled[:, 3]).abs().mean() < 0.15 * scaled[:, 3].abs().mean()


def test_no_row_affects_the_guesses_of_another():
    model = fitted(X, hidden=(8,))
    gaps = np.where(RNG.random(X.shape) < 0.3, np.nan, X)
    whole = seen(model, gaps).x
    padded = np.repeat(gaps[7:8], 400, axis=0)
    assert torch.equal(seen(model, padded).x[0], whole[7])


def test_guesses_stay_within_the_range_of_the_column():
    model = fitted(X)
    rows = np.full((1, 5), np.nan)
    rows[0, 0] = 1e300
    guess = seen(model, rows).x.double() * model.scaling.scale + model.scaling.shift
    assert ((guess >= torch.from_numpy(X.min(0)) - 1e-6) & (guess <= torch.from_numpy(X.max(0)) + 1e-6))[0, 1:].all()


def test_counts_are_whole_numbers_of_at_least_0():
    counts = RNG.poisson(2.0, (60, 4)).astype(float)
    model = fitted(counts, likelihood="poisson")
    for value, message in (
        (-1, "needs values of at least 0, but column 1 goes from -1"),
        (0.5, "column 1 has fractions"),
    ):
        rows = counts[:3].copy()
        rows[2, 1] = value
        with pytest.raises(ValueError, match=message):
            seen(model, rows)
        with pytest.raises(ValueError, match=message):
            refuse_outside_of(model, Ends.of(torch.from_numpy(rows)))
    rows = np.full((2, 4), np.nan)
    assert torch.isfinite(seen(model, rows).x).all()


def test_which_likelihoods_are_bounded():
    bounded = {name: is_bounded(fitted(np.eye(8), likelihood=name).network.likelihood) for name in ("bce", "mse")}
    assert bounded == {"bce": True, "mse": False}
    assert not is_bounded(LikelihoodModule())
