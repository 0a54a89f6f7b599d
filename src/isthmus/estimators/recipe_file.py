"""Recipes in files, YAML or JSON: read with the line of every error, written as they are read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from isthmus.core.choices import unknown
from isthmus.core.document import Document, DocumentError, Place, Plain, Steps
from isthmus.core.files import atomic_write
from isthmus.core.json_text import parse_json
from isthmus.core.yaml_text import parse_yaml, yaml_text
from isthmus.estimators.recipe import Recipe, estimator_from, recipe_of
from isthmus.estimators.recipe_error import RecipeError

DATA = "data"
"""The key of the options of a command, such as which columns to leave out; its caller knows them."""
YAML, JSON = (".yaml", ".yml"), (".json",)


@dataclass(frozen=True)
class RecipeFile:
    """A recipe as a file has it, validated.

    Parameters
    ----------
    recipe : dict
        What `estimator_from` makes an estimator of.
    data : dict
        The options under "data", as they are: their caller knows them, and says with `error` what is wrong with one.
    document : Document
        Everything, with its places.
    """

    recipe: Recipe
    data: dict[str | int, Plain]
    document: Document = field(repr=False)

    def estimator(self) -> Any:
        """Return a new estimator, not yet fitted."""
        return estimator_from(self.recipe)

    def error(self, message: str, *steps: str | int) -> DocumentError:
        """Return the error that something is wrong: ``recipe.error("a text was expected", "data", "target")``."""
        return self.document.error(steps, message)


def read_recipe(path: str | Path) -> RecipeFile:
    r"""Read and validate a recipe.

    Parameters
    ----------
    path : str or Path
        A file that ends in .yaml, .yml or .json, with a preset or a model, parameters, and options under "data":

            preset: variational
            latent: 16
            beta: 4
            random_state: 0
            data:
              exclude: [id]

        Text without quotes is read by the rules of YAML 1.2: "no" is text, 1e-3 a number.

    Returns
    -------
    RecipeFile
        `recipe`, `data`, and `estimator()`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no YAML or JSON, or has an unknown key, a key twice, or a value that cannot be; the message names the
        line and the column, what was expected, and what is near.
    MissingExtraError
        If it is YAML and PyYAML is not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.yaml"
    >>> _ = path.write_text("preset: variational\nlatent: abc\n")
    >>> read_recipe(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    isthmus.core.document.DocumentError: ...run.yaml, line 2, column 1: latent must be a whole number of at least 1, ...
    """
    document = parsed(Path(path))
    if not isinstance(document.value, dict):
        raise document.error((), "a recipe is a mapping such as 'latent: 16'; this file has none")
    recipe = dict(document.value)
    data = recipe.pop(DATA, None)
    if data is not None and not isinstance(data, dict):
        raise document.error((DATA,), f"options are a mapping such as '{DATA}: {{exclude: [id]}}'; got {data!r}")
    try:
        estimator_from(recipe)
    except RecipeError as error:
        raise document.error(error.steps, error.message) from error
    return RecipeFile(recipe, data or {}, document)


def parsed(path: Path) -> Document:
    """Return the values of a file."""
    refuse_ending(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 ({error.reason} at byte {error.start})") from None
    try:
        return parse_json(text, str(path)) if path.suffix in JSON else parse_yaml(text, str(path))
    except RecursionError:
        raise DocumentError(str(path), Place(1, 1), "it is nested too deeply") from None


def refuse_ending(path: Path) -> None:
    """Raise a `ValueError` if a file is neither YAML nor JSON by its name."""
    if path.suffix not in YAML + JSON:
        raise ValueError(unknown("kind of recipe", path.suffix or path.name, YAML + JSON))


def write_recipe(
    recipe: BaseEstimator | Recipe, path: str | Path, data: Mapping[str, Plain] | None = None, note: str = ""
) -> None:
    """Write a recipe to a file, whole or not at all.

    Parameters
    ----------
    recipe : estimator or dict
        What `recipe_of` takes or returns.
    path : str or Path
        Ending in .yaml, .yml or .json.
    data : dict, optional
        Options of a command, under "data".
    note : str
        What stands at the top of a YAML file as a comment.

    Raises
    ------
    RecipeError
        If a recipe cannot hold a parameter, or JSON a key that is a number.
    OSError
        If the file cannot be written; what was at `path` is still there.
    MissingExtraError
        If it is YAML and PyYAML is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from isthmus import KL, AutoEncoder
    >>> path = Path(tempfile.mkdtemp()) / "run.yaml"
    >>> write_recipe(AutoEncoder(latent=16, code="gaussian", penalty=KL(beta=4)), path)
    >>> print(path.read_text(), end="")
    latent: 16
    code: gaussian
    penalty:
      kl: {beta: 4}
    """
    path = Path(path)
    text = recipe_text(recipe, path.suffix, data, note)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def recipe_text(
    recipe: BaseEstimator | Recipe, ending: str = ".yaml", data: Mapping[str, Plain] | None = None, note: str = ""
) -> str:
    """Return the text that `write_recipe` writes to a file with that ending."""
    refuse_ending(Path(f"recipe{ending}"))
    values: dict[str | int, Plain] = dict(recipe) if isinstance(recipe, Mapping) else recipe_of(recipe)
    if data:
        values[DATA] = {str(name): value for name, value in data.items()}
    if ending in YAML:
        comment = "".join(f"# {line}\n" for line in note.splitlines())
        return comment + (yaml_text(values) if values else "{}\n")
    refuse_numbered(values, ())
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def refuse_numbered(value: Plain, steps: Steps) -> None:
    """Raise a `RecipeError` if a key is a number, which JSON would turn into text."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise RecipeError((*steps, key), "keys in JSON are text, and this is a position: write YAML")
            refuse_numbered(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_numbered(item, (*steps, index))
