"""Recipes in files."""

import json

import pytest

from isthmus import KL, AutoEncoder, RecipeError, read_recipe, recipe_of, write_recipe, zoo
from isthmus.core import extras
from isthmus.core.extras import MissingExtraError
from isthmus.estimators.recipe_file import recipe_text
from isthmus.zoo.preset import FAMILIES

pytest.importorskip("yaml")
RECIPE = """\
# a run
preset: variational
latent: 16
beta: 4
learning_rate: 1e-3
hidden:
  - 128
  - 64
data:
  exclude: [id, no]
  target: label
"""
PRESETS = [preset for presets in FAMILIES.values() for preset in presets]


def written(tmp_path, text, name="run.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_what_is_read(tmp_path):
    found = read_recipe(written(tmp_path, RECIPE))
    assert found.data == {"exclude": ["id", "no"], "target": "label"}
    assert found.recipe["learning_rate"] == 0.001
    expected = zoo.variational(16, beta=4, learning_rate=1e-3, hidden=(128, 64))
    assert repr(found.estimator()) == repr(expected)
    assert found.estimator() is not found.estimator()
    assert str(found.error("no such column", "data", "exclude", 1)).endswith(
        "run.yaml, line 10, column 17: no such column"
    )


@pytest.mark.parametrize("ending", [".yaml", ".json"])
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.__name__)
def test_there_and_back(preset, ending, tmp_path):
    path = tmp_path / f"run{ending}"
    write_recipe(preset(random_state=3), path, {"ids": ["id"]}, note="how it was made")
    found = read_recipe(path)
    assert found.recipe == recipe_of(preset(random_state=3))
    assert found.data == {"ids": ["id"]}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written(tmp_path):
    ae = AutoEncoder(latent=16, code="gaussian", penalty=[KL(beta=4), "l1"], columns={0: "real", "no": "count"})
    assert recipe_text(ae, note="two\nlines") == (
        "# two\n# lines\nlatent: 16\ncode: gaussian\npenalty:\n- kl: {beta: 4}\n- l1\ncolumns: {0: real, 'no': count}\n"
    )
    assert recipe_text(AutoEncoder()) == "{}\n"
    assert read_recipe(written(tmp_path, "{}\n")).recipe == {}
    assert json.loads(recipe_text({"latent": 3}, ".json")) == {"latent": 3}
    with pytest.raises(RecipeError, match=r"columns\.0: keys in JSON are text, and this is a position: write YAML"):
        recipe_text(ae, ".json")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("latent: 16", "latent: abc", "line 3, column 1: latent must be a whole number of at least 1, .*; got 'abc'"),
        ("beta: 4", "bta: 4", "line 4, column 1: unknown parameter of preset 'variational' 'bta'; did you mean 'beta'"),
        ("beta: 4", "beta: -4", "line 4, column 1: beta of KL must be a number of at least 0; got -4"),
        ("beta: 4", "latent: 4", "line 4, column 1: 'latent' is there twice, first in line 3"),
        ("  - 64", "  - x", "line 8, column 5: hidden must be whole numbers"),
        ("  - 64", "  - [", "no YAML"),
        ("hidden:", "penalty: {kl: {bta: 1}}\nhidden:", "line 6, column 16: unknown parameter of KL 'bta'"),
        ("preset: variational", "preset: sprse", "line 2, column 1: unknown preset 'sprse'; did you mean 'sparse'"),
        ("data:\n  exclude: [id, no]\n  target: label", "data: 3", "line 9, column 1: options are a mapping"),
    ],
)
def test_errors_have_the_line(old, new, message, tmp_path):
    assert old in RECIPE
    with pytest.raises(ValueError, match=message) as told:
        read_recipe(written(tmp_path, RECIPE.replace(old, new)))
    assert str(told.value).startswith(str(tmp_path / "run.yaml"))


def test_errors_have_the_line_in_json_too(tmp_path):
    path = written(tmp_path, '{\n  "latent": 16,\n  "penalty": {"kl":\n {"bta": 1}}\n}', "run.json")
    with pytest.raises(ValueError, match=r"run\.json, line 4, column 3: unknown parameter of KL 'bta'"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1: a recipe is a mapping"),
        (b"- 1\n", "a recipe is a mapping"),
        (b"latent: \xff\n", "is not text in UTF-8"),
        (b"\xef\xbb\xbflatent: abc\n", "line 1, column 1: latent must be"),
    ],
)
def test_files_that_are_no_recipe(content, message, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_recipe(path)


def test_a_file_that_is_nested_too_deeply(tmp_path):
    with pytest.raises(ValueError, match=r"run\.json, line 1, column 1: it is nested too deeply"):
        read_recipe(written(tmp_path, "[" * 10_000, "run.json"))


def test_names_of_files(tmp_path):
    with pytest.raises(ValueError, match=r"unknown kind of recipe '.yam'; did you mean '.yaml'"):
        read_recipe(written(tmp_path, "", "run.yam"))
    with pytest.raises(ValueError, match="unknown kind of recipe"):
        write_recipe(AutoEncoder(), tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(FileNotFoundError):
        write_recipe(AutoEncoder(), tmp_path / "none" / "run.yaml")


def test_without_pyyaml(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"a recipe in YAML needs pyyaml: pip install 'isthmus\[config\]'"):
        read_recipe(written(tmp_path, RECIPE))
    assert read_recipe(written(tmp_path, '{"latent": 3}', "run.json")).recipe == {"latent": 3}
