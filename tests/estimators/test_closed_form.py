import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from isthmus import AutoEncoder, TrainingWarning, load, zoo
from isthmus.estimators.closed_form import choice

DIGITS = load_digits().data
NARROW = {"hidden": (3,), "epochs": 2, "random_state": 0}


def returned(**settings):
    with pytest.warns(TrainingWarning, match="principal components are returned") as caught:
        model = AutoEncoder(8, **NARROW | settings).fit(DIGITS)
    assert len(caught) == 1
    return model


def test_components_take_the_place_of_a_network_that_does_not_reach_them(tmp_path):
    model = returned()
    assert model.floor_.returned
    assert model.fit_report_.floor.endswith("PCA with 8 returned")
    # On held-out rows the error is that of the components; on all rows it is about that of PCA of all rows.
    pca = PCA(8).fit(DIGITS)
    exact = ((pca.inverse_transform(pca.transform(DIGITS)) - DIGITS) ** 2).mean()
    assert ((model.reconstruct(DIGITS) - DIGITS) ** 2).mean() < 1.01 * exact
    back = model.inverse_transform(model.transform(DIGITS))
    np.testing.assert_allclose(back, model.reconstruct(DIGITS), atol=1e-4)
    model.save(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(load(tmp_path / "model.isthmus").transform(DIGITS), model.transform(DIGITS))
    assert np.isfinite(model.score(DIGITS))


def test_the_network_is_kept_if_only_telling_is_asked_for():
    with pytest.warns(TrainingWarning, match="does not reach principal components of the same size"):
        model = AutoEncoder(8, floor="tell", **NARROW).fit(DIGITS)
    assert not model.floor_.returned
    assert model.floor_.gain < 0
    assert len(model.network_.encoder.weights) == 2


def test_presets_that_are_worse_say_so():
    with pytest.warns(TrainingWarning) as caught:
        zoo.variational(32, beta=20.0, epochs=3, random_state=0).fit(DIGITS)
    assert any("does not reach principal components" in str(warning.message) for warning in caught)


def test_nothing_is_said_where_the_floor_is_reached():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoEncoder(8, epochs=3, random_state=0).fit(DIGITS)


@pytest.mark.parametrize(
    ("settings", "obstacle"),
    [
        ({"code": "gaussian", "penalty": "kl"}, "the code is another one"),
        ({"penalty": "l1"}, "a penalty or an objective"),
        ({"corruption": "masking"}, "a corruption is to be undone"),
        ({"likelihood": "bce"}, "the likelihood is not Gaussian"),
        ({"decoder": "tied"}, "the decoder is not dense"),
    ],
)
def test_what_components_cannot_stand_for(settings, obstacle):
    assert choice(AutoEncoder(8, **settings)) == "tell"
    with pytest.raises(ValueError, match=obstacle):
        AutoEncoder(8, floor="return", **settings).fit(DIGITS)


@pytest.mark.parametrize("floor", ["raise", "", None, 1])
def test_unknown_words(floor):
    with pytest.raises(ValueError, match=r"unknown floor .*'auto', 'return', 'tell'"):
        AutoEncoder(8, floor=floor).fit(DIGITS)
