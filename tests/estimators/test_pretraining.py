import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Dense, Gaussian, zoo

DIGITS = (load_digits().data / 16).astype(np.float32)


def start(**settings):
    layers = {} if "encoder" in settings else {"hidden": (64, 32)}
    settings = {"latent": 8, "epochs": 20, "random_state": 0} | layers | settings
    return AutoEncoder(**settings).fit(DIGITS).history_


def test_training_starts_where_the_layers_left_off():
    layerwise, orthogonal = start(init="layerwise"), start(init="orthogonal")
    assert layerwise.init == "layerwise (3 layers, 5 epochs each)"
    assert layerwise["val_loss"][0] < orthogonal["val_loss"][0] - 20


@pytest.mark.filterwarnings("ignore:.* coordinates of the code are unused:isthmus.TrainingWarning")
@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian("learned"), "laplace"])
@pytest.mark.parametrize("code", ["deterministic", "gaussian", "ordered"])
def test_layers_fit_any_code_and_likelihood(code, likelihood):
    history = start(init="layerwise", code=code, likelihood=likelihood, penalty="kl" if code == "gaussian" else None)
    assert np.isfinite(history["loss"][1:]).all()
    assert history["val_loss"].min() < history["val_loss"][0]


def test_same_seed_same_model():
    one, other = (zoo.stacked(8, (32,), epochs=2, random_state=0).fit(DIGITS) for _ in range(2))
    np.testing.assert_array_equal(one.transform(DIGITS), other.transform(DIGITS))


@pytest.mark.parametrize(
    "parts", [{"decoder": "linear"}, {"decoder": "tied"}, {"encoder": Dense((8,), norm="batch")}], ids=str
)
def test_networks_without_mirrored_layers_fail_before_training(parts):
    with pytest.raises(ValueError, match="init='layerwise' needs a Dense encoder and decoder of as many layers"):
        start(init="layerwise", **parts)
