"""What can be checked before any data are read; the errors themselves are in test_recipe.py."""

import pytest

from isthmus import AutoEncoder, Blocks, ByShape, Convolutional, Gaussian, Imputer, Masking, Part, zoo
from isthmus.core import registry
from isthmus.estimators.parameter_checks import ParameterError, refuse_parameters
from isthmus.zoo.preset import FAMILIES


@pytest.mark.parametrize(
    "preset", [preset for presets in FAMILIES.values() for preset in presets], ids=lambda preset: preset.__name__
)
def test_no_preset_is_refused(preset):
    refuse_parameters(preset())


@pytest.mark.parametrize("name", registry.parts("code"))
@pytest.mark.parametrize("latent", [0.9, "auto", 40])
def test_no_code_is_refused(name, latent):
    refuse_parameters(AutoEncoder(latent, code=name))


@pytest.mark.parametrize(
    "name", [name for name in registry.parts("likelihood") if name not in ("mixed", "categorical")]
)
def test_no_likelihood_that_needs_no_sizes_is_refused(name):
    refuse_parameters(AutoEncoder(likelihood=name))


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": Convolutional((28, 28, 3)), "corruption": Blocks()},
        {"encoder": "convolutional", "corruption": "blocks"},
        {"encoder": Convolutional("signal")},
        {"corruption": Masking(value=None)},
        {"corruption": ByShape(Masking(0.5))},
        {"latent": 1, "hidden": (7,), "likelihood": Gaussian(1.0), "columns": None},
        {"columns": {"age": "student_t"}, "validation": [0, 1]},
        {"validation": [[1.0, 2.0]]},
    ],
    ids=str,
)
def test_what_some_data_suit_is_not_refused(settings):
    refuse_parameters(AutoEncoder(**settings))
    if "corruption" not in settings and "validation" not in settings:
        refuse_parameters(Imputer(AutoEncoder(**settings | {"likelihood": "auto", "encoder": None})))


def test_the_parameter_is_named():
    with pytest.raises(ParameterError) as told:
        refuse_parameters(zoo.convolutional((28, -1)))
    assert told.value.parameter == "encoder"
    refuse_parameters(Part())  # has nothing to check
