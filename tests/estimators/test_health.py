import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import KL, AutoEncoder, Callback, Deterministic, Gaussian, TopK, TrainingWarning, VectorQuantizer, load

DIGITS = (load_digits().data / 16).astype(np.float32)


def test_posterior_collapse_is_warned_about_and_recorded(tmp_path):
    model = AutoEncoder(3, code="gaussian", penalty=KL(beta=1000.0), epochs=30, random_state=0)
    with pytest.warns(TrainingWarning, match="the posterior collapsed: none of the 3 coordinates") as caught:
        model.fit(DIGITS)
    assert sum("collapsed" in str(warning.message) for warning in caught) == 1
    assert model.history_.health["active_units"] == 0
    model.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").history_.health == model.history_.health


def test_active_units_of_a_healthy_model():
    model = AutoEncoder(5, code="gaussian", penalty="kl", epochs=10, random_state=0).fit(DIGITS)
    assert model.history_.health["active_units"] == 5


def test_dead_units_are_warned_about():
    # One unit is kept of so many that are alike: most are never the largest.
    model = AutoEncoder(200, (), code=TopK(1), init="torch", epochs=2, random_state=0)
    with pytest.warns(TrainingWarning, match=r"\d+ of the 200 units of TopK are dead"):
        model.fit(DIGITS)
    assert model.history_.health["used_units"] < 180
    assert model.history_.health["mean_active"] == 1


def test_unused_codewords_are_warned_about():
    code = VectorQuantizer(256, width=2, restart=0.0)
    X = np.repeat(DIGITS[:2], 100, axis=0) + np.linspace(0, 1e-3, 200, dtype=np.float32)[:, None]
    with pytest.warns(TrainingWarning, match="only .* of the 256 codewords of VectorQuantizer are used"):
        model = AutoEncoder(2, code=code, epochs=2, random_state=0).fit(X)
    assert model.history_.health["codes"] == 256


class Silenced(Callback):
    """Drives every relu of the code below zero."""

    def on_fit_end(self, trainer):
        trainer.network.encoder.biases[-1].data.fill_(-1e4)


def test_a_code_that_is_the_same_for_every_row():
    model = AutoEncoder(2, code=Deterministic("relu"), epochs=1, callbacks=[Silenced()], random_state=0)
    with pytest.warns(TrainingWarning, match="the code is the same for every row: none of its 2 coordinates varies"):
        model.fit(DIGITS)


def test_outputs_that_a_relu_leaves_dead_are_counted():
    model = AutoEncoder(4, likelihood=Gaussian(0.5, "relu"), init="torch", epochs=2, floor="tell", random_state=0)
    with pytest.warns(TrainingWarning, match="the relu of the output is dead"):
        model.fit(DIGITS)
    dead = (model.reconstruct(DIGITS[:1000]) == 0).all(0)[DIGITS.any(0)].sum()
    assert model.history_.health["dead_outputs"] == pytest.approx(dead, abs=6)
    assert model.history_.health["dead_outputs"] > 0


def test_coordinates_that_are_partly_unused_are_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 10)) + 0.5 * rng.normal(size=(600, 10))
    with pytest.warns(TrainingWarning, match=r"\d of the 6 coordinates of the code are unused .*: latent=\d holds as"):
        model = AutoEncoder(6, code="gaussian", penalty=KL(beta=4.0), epochs=40, random_state=0).fit(X)
    assert 0 < model.history_.health["active_units"] < 6


def test_a_code_that_is_larger_than_the_rows_need_is_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 20)) + 1e-3 * rng.normal(size=(300, 20))
    with pytest.warns(TrainingWarning, match=r"3 principal components hold 99.9 % of the variance; latent=3 would do"):
        AutoEncoder(8, epochs=2, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoEncoder(8, epochs=2, random_state=0).fit(DIGITS)


def test_columns_of_zeros_are_no_dead_outputs():
    X = DIGITS.copy()
    X[:, :40] = 0
    settings = {"likelihood": Gaussian(0.5, "relu"), "epochs": 3, "floor": "tell", "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)
        model = AutoEncoder(4, **settings).fit(X)
    assert model.history_.health["dead_outputs"] < 24
    with pytest.warns(TrainingWarning, match="columns are reconstructed as 0 for every row: the relu of the output"):
        AutoEncoder(4, init="torch", **settings).fit(X)
