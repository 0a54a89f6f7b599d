import dataclasses

import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Gaussian, zoo
from isthmus.estimators.fitted_model import Composition

X = np.random.default_rng(0).normal(size=(60, 4))
SETTINGS = {"hidden": (6,), "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return AutoEncoder(2, **SETTINGS).fit(X).model_


def test_sizes(model):
    assert model.latent == model.composition.latent == 2
    assert model.weights == sum(p.numel() for p in model.network.parameters())
    assert model.operations(10) == 60 * model.weights
    assert model.likelihood is model.composition.likelihood


@pytest.mark.parametrize("make", [AutoEncoder, zoo.variational, zoo.denoising, zoo.vector_quantised])
def test_a_composition_builds_the_network_again(make):
    model = make(latent=2, epochs=1, random_state=0).fit(X).model_
    for dtype in (torch.float32, torch.float64):
        built = model.composition.build(dtype)
        assert {p.dtype for p in built.parameters()} == {dtype}
        assert {name: t.shape for name, t in built.state_dict().items()} == {
            name: t.shape for name, t in model.network.state_dict().items()
        }


def test_fields_are_the_parameters_of_a_composition(model):
    assert list(model.composition.fields) == [field.name for field in dataclasses.fields(Composition)]
    again = Composition(**model.composition.fields)
    assert again.fields == model.composition.fields


def test_nothing_can_be_assigned(model):
    for thing, name in ((model, "network"), (model.record, "epochs"), (model.composition, "latent")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, None)


def test_auto_is_resolved(model):
    assert isinstance(model.composition.likelihood, Gaussian)
    assert "auto" not in [value for value in model.composition.fields.values() if isinstance(value, str)]
