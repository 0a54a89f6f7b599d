import inspect
import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from isthmus import AutoEncoder, zoo
from isthmus.zoo.family import describe
from isthmus.zoo.preset import FAMILIES, composed, preset

for module in iter_modules(zoo.__path__):
    import_module(f"isthmus.zoo.{module.name}")
PRESETS = [preset for presets in FAMILIES.values() for preset in presets]
every = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.__name__)


def test_every_preset_has_a_family_and_is_exported():
    names = [preset.__name__ for preset in PRESETS]
    assert len(set(names)) == len(names) >= 21
    assert sorted([*names, "catalogue", "describe"]) == zoo.__all__, "a preset needs its line in zoo/__init__.py"
    assert all(getattr(zoo, name) is preset for name, preset in zip(names, PRESETS, strict=True))


def test_every_preset_is_seen_by_type_checkers():
    """These read `import name as name`, and no list that is computed."""
    imported = set(re.findall(r"^from isthmus\.zoo\.\w+ import (\w+) as \1$", inspect.getsource(zoo), re.MULTILINE))
    assert imported == set(zoo.__all__)


def test_a_preset_may_be_defined_again_but_not_twice():
    def tiny(**settings):
        return composed(settings, latent=1)

    try:
        assert preset("for the test")(tiny) is tiny
        preset("for the test")(tiny)
        assert FAMILIES["for the test"] == [tiny]
        assert "for the test" in describe()
    finally:
        del FAMILIES["for the test"]
    tiny.__name__ = "sparse"
    with pytest.raises(ValueError, match=r"there is a preset called 'sparse' already, in isthmus\.zoo\.sparsity; give"):
        preset("plain")(tiny)


@every
def test_a_preset_is_an_autoencoder_and_takes_its_settings(preset):
    made = preset(epochs=7, random_state=3)
    assert type(made) is AutoEncoder
    assert made.get_params()["epochs"] == 7
    assert made.random_state == 3
    with pytest.raises(TypeError, match="unexpected keyword"):
        preset(epoch=7)


@every
def test_its_docstring_says_formula_shapes_source_and_when(preset):
    text = inspect.getdoc(preset)
    assert re.search(r"\((F|K|B),", text) or "(K,)" in text
    assert re.search(r"(19|20)\d\d", text)
    assert "When:" in text
    assert "When not:" in text
    assert ">>> " in text
    for parameter in inspect.signature(preset).parameters:
        assert parameter in text


def test_describe_names_every_preset_once():
    lines = describe().splitlines()
    assert len(lines) == 1 + len(PRESETS)
    for made in PRESETS:
        assert len([line for line in lines if f" {made.__name__} " in line]) == 1
    for family in FAMILIES:
        assert len([line for line in lines if line.startswith(f"{family} ")]) == 1


def test_sparse_with_a_number_of_units_is_k_sparse():
    assert repr(zoo.sparse(latent=100, top_k=5)) == repr(zoo.k_sparse(latent=100, top_k=5))
