"""Recipes: an estimator that is not fitted, as plain values, and back.

A recipe names a preset or an estimator, and the parameters that differ from the defaults:

    {"preset": "variational", "latent": 16, "beta": 4}
    {"latent": 16, "penalty": {"l1": {"weight": 0.1}}, "random_state": 0}
    {"model": "AnomalyDetector", "setting": "clean", "estimator": {"latent": 8}}
"""

import re
from collections.abc import Iterator, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, TypeAlias

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from isthmus.core import registry
from isthmus.core.document import Plain, Steps
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.kinds import estimator_named, preset_named
from isthmus.estimators.model_file import unfitted
from isthmus.estimators.parameter_checks import ParameterError, refuse_parameters
from isthmus.estimators.plain import NOT_SAVED
from isthmus.estimators.recipe_error import RecipeError
from isthmus.estimators.recipe_parts import plain_value, read_value, refuse_unknown_keys

Recipe: TypeAlias = Mapping[str | int, Plain]
"""A preset or an estimator, and parameters by name."""
MODEL, PRESET = "model", "preset"
"""The keys that say what a recipe makes; without them it is an `AutoEncoder`."""
ESTIMATOR = "estimator"
"""The parameter that is itself an estimator."""


def recipe_of(estimator: BaseEstimator | str | Path) -> dict[str | int, Plain]:
    """Return an estimator's class and parameters as plain values that JSON and YAML can hold.

    Callbacks and `verbose`, which belong to a run, are left out.

    Parameters
    ----------
    estimator : AutoEncoder, AnomalyDetector, Imputer or path
        Fitted or not; or a model file, whose parameters are read, also where it computed.

    Returns
    -------
    dict
        What differs from the defaults. `estimator_from` makes an equal estimator of it, and that one, fitted to the
        same rows with the same `random_state`, the same model bit for bit on the same machine.

    Raises
    ------
    RecipeError
        If a parameter is what a recipe cannot hold: a torch module, a function, the state of a random generator, rows.

    Examples
    --------
    >>> from isthmus import KL
    >>> recipe_of(AutoEncoder(latent=16, code="gaussian", penalty=KL(beta=4), random_state=0))
    {'latent': 16, 'code': 'gaussian', 'penalty': {'kl': {'beta': 4}}, 'random_state': 0}
    """
    if isinstance(estimator, str | Path):
        estimator = unfitted(Path(estimator))
    return recipe_at(estimator, ())


def recipe_at(estimator: BaseEstimator, steps: Steps) -> dict[str | int, Plain]:
    """Return the recipe of an estimator that stands at these steps of another one."""
    kind = type(estimator)
    if kind not in registry.parts("estimator").values():
        raise RecipeError(steps, f"a recipe makes estimators of isthmus; {kind.__name__} is none")
    found: dict[str | int, Plain] = {} if kind is AutoEncoder else {MODEL: kind.__name__}
    given = estimator.get_params(deep=False)
    for name, usual in defaults_of(kind).items():
        if name not in NOT_SAVED:
            own = plain_parameter(name, given[name], (*steps, name))
            if own != plain_parameter(name, usual, (*steps, name)):
                found[name] = own
    return found


def defaults_of(kind: type) -> dict[str, object]:
    """Return the parameters of a class with their defaults."""
    return {name: parameter.default for name, parameter in signature(kind).parameters.items()}


def plain_parameter(name: str, value: object, steps: Steps) -> Plain:
    """Return a parameter of an estimator as a recipe has it."""
    if not isinstance(value, BaseEstimator) or name != ESTIMATOR:
        return plain_value(name, value, steps)
    if is_fitted(value):
        raise RecipeError(steps, "it is fitted, and a recipe holds no weights: give one that is not")
    return recipe_at(value, steps)


def is_fitted(estimator: BaseEstimator) -> bool:
    """Return whether an estimator is fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def estimator_from(recipe: Recipe) -> Any:
    """Return the estimator that a recipe describes, not yet fitted, its parameters checked as far as they can be.

    Parameters
    ----------
    recipe : dict
        As `recipe_of` returns it; or with a "preset" of `isthmus.zoo` in place of "model", the preset's own parameters
        and any of `AutoEncoder`. Parts are given by name, or as {name: {parameter: value}}; several as a list.

    Returns
    -------
    AutoEncoder, AnomalyDetector, Imputer or another registered estimator

    Raises
    ------
    RecipeError
        If a name is unknown or a value cannot be; the message says where, what was expected and what is near.

    Examples
    --------
    >>> estimator_from({"preset": "variational", "latent": 16, "beta": 4}).penalty
    KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None)
    >>> estimator_from({"latent": 16, "penalty": {"k1": {}}})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    isthmus.estimators.recipe_error.RecipeError: penalty.k1: unknown penalty 'k1'; did you mean 'l1'? ...
    """
    estimator = estimator_at(recipe, ())
    check(estimator, recipe, ())
    return estimator


def estimator_at(recipe: Recipe, steps: Steps) -> Any:
    """Return the estimator of a recipe that stands at these steps of another one."""
    given = dict(recipe)
    model, preset = given.pop(MODEL, None), given.pop(PRESET, None)
    if model is not None and preset is not None:
        raise RecipeError((*steps, PRESET), f"a recipe has either {MODEL!r} or {PRESET!r}; a preset is an AutoEncoder")
    if preset is None:
        kind = AutoEncoder if model is None else named(estimator_named, model, (*steps, MODEL))
        own, make, caller = dict.fromkeys(defaults_of(kind)), kind, kind.__name__
    else:
        make = named(preset_named, preset, (*steps, PRESET))
        parameters = signature(make).parameters.values()
        own = dict.fromkeys(one.name for one in parameters if one.kind is not Parameter.VAR_KEYWORD)
        own, caller = own | dict.fromkeys(defaults_of(AutoEncoder)), f"preset {preset!r}"
    refuse_unknown_keys(f"parameter of {caller}", given, (name for name in own if name not in NOT_SAVED), steps)
    read = {str(name): read_parameter(str(name), value, (*steps, name)) for name, value in given.items()}
    try:
        return make(**read)
    except (TypeError, ValueError) as error:
        raise RecipeError(blamed(str(error), given, steps), str(error)) from error


def named(find: Any, name: Plain, steps: Steps) -> Any:
    """Return the estimator or preset of that name."""
    if not isinstance(name, str):
        raise RecipeError(steps, f"a name was expected; got {name!r}")
    try:
        return find(name)
    except ValueError as error:
        raise RecipeError(steps, str(error)) from None


def read_parameter(name: str, value: Plain, steps: Steps) -> Any:
    """Return what a value of a parameter means."""
    if name == ESTIMATOR and isinstance(value, dict):
        return estimator_at(value, steps)
    return read_value(name, value, steps)


def check(estimator: BaseEstimator, recipe: Recipe, steps: Steps) -> None:
    """Raise a `RecipeError` if parameters are wrong whatever the data are; it names the key of the recipe."""
    inner = recipe.get(ESTIMATOR)
    if isinstance(inner, dict):
        check(estimator.get_params(deep=False)[ESTIMATOR], inner, (*steps, ESTIMATOR))
    try:
        refuse_parameters(estimator)
    except ParameterError as error:
        start = (*steps, error.parameter) if error.parameter in recipe else steps
        inside = recipe.get(error.parameter, recipe)
        raise RecipeError(blamed(str(error), inside, start), str(error)) from error
    except (ValueError, TypeError) as error:
        raise RecipeError(blamed(str(error), recipe, steps), str(error)) from error


def blamed(message: str, value: "Plain | Recipe", steps: Steps) -> Steps:
    """Return the key below a value that a message names first, or the key of a text that it quotes; else its own."""
    words = re.findall(r"[\w-]+", message.lower())
    below = list(items_of(value, steps))
    names = [(key[-1].lower(), key) for key, _ in below if isinstance(key[-1], str)]
    found = [(words.index(name), key) for name, key in names if name in words]
    if found:
        return min(found, key=lambda one: one[0])[1]
    told = message.partition("(one of")[0]
    return next((key for key, item in below if isinstance(item, str) and repr(item) in told), steps)


def items_of(value: "Plain | Recipe", steps: Steps) -> Iterator[tuple[Steps, Plain]]:
    """Yield everything below a value, with the keys and indices that lead to it."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner = (*steps, key)
        yield inner, item
        yield from items_of(item, inner)
