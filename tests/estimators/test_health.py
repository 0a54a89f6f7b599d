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
    model.fit(DIGITS)
    dead = (model.reconstruct(DIGITS[:1000]) == 0).all(0).sum()
    assert model.history_.health["dead_outputs"] == pytest.approx(dead, abs=6)
    assert model.history_.health["dead_outputs"] > 0


def test_a_learning_rate_that_is_too_high_is_told():
    with pytest.warns(
        TrainingWarning, match=r"no epoch was better than the start: .* take a learning_rate below"
    ) as caught:
        model = AutoEncoder(8, learning_rate=5.0, epochs=6, random_state=0).fit(DIGITS[:800])
    assert sum("learning_rate below" in str(warning.message) for warning in caught) == 1
    assert model.history_.best_epoch == 0
    assert model.history_.health["loss_above_start"] > 0.2


def test_overfitting_is_told():
    with pytest.warns(TrainingWarning, match="the validation loss rose from .* in epoch .* to .* at the end"):
        model = AutoEncoder(16, (256,), epochs=300, patience=None, random_state=0).fit(DIGITS[:120])
    assert model.history_.health["loss_rise"] > 0.2


def test_an_ordinary_course_is_not_worth_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AutoEncoder(8, epochs=10, random_state=0).fit(DIGITS)
    assert not {"loss_rise", "loss_above_start"} & set(model.history_.health)
