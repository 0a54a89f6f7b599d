"""The parameters of an estimator as a flat mapping of plain values, for records of training."""

from collections.abc import Mapping
from typing import Any, Protocol

from sklearn.base import BaseEstimator

from isthmus.core.contract import Part
from isthmus.core.json_type import Json
from isthmus.core.registry import SLOTS, name_of
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.plain import NOT_SAVED, plain

LONGEST = 200
"""Characters at most of a value that has no plain form, and values at most of a list."""


class HasParameters(Protocol):
    """An estimator, or a part."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor parameters."""


def settings_of(parameters: Parameters) -> dict[str, Json]:
    """Return every parameter of an autoencoder by its name; a part by its name, and its own parameters with a dot.

    Examples
    --------
    >>> from isthmus import KL, AutoEncoder
    >>> found = settings_of(AutoEncoder(latent=2, penalty=KL(beta=4)))
    >>> found["latent"], found["penalty"], found["penalty.beta"]
    (2, 'kl', 4)
    """
    return flat_settings({name: getattr(parameters, name) for name in Parameters.__annotations__})


def settings_of_estimator(estimator: HasParameters) -> dict[str, Json]:
    """Return every parameter of any estimator in the same way."""
    return flat_settings(estimator.get_params(deep=False))


def flat_settings(parameters: Mapping[str, object]) -> dict[str, Json]:
    """Return the parameters that belong to a model, in the same way."""
    found: dict[str, Json] = {}
    for name, value in parameters.items():
        if name not in NOT_SAVED:
            found |= flat(name, value, name)
    return found


def flat(name: str, value: object, slot: str) -> dict[str, Json]:
    """Return a parameter under its name, and those of the part or parts that it is."""
    if isinstance(value, Part | BaseEstimator):
        own = settings_of_estimator(value)
        return {name: name_in(slot, value), **{f"{name}.{key}": item for key, item in own.items()}}
    if isinstance(value, list | tuple) and any(isinstance(item, Part) for item in value):
        found: dict[str, Json] = {name: " + ".join(name_in(slot, item) for item in value)}
        for place, item in enumerate(value):
            found |= flat(f"{name}.{place}", item, slot)
        return found
    return {name: plain_or_words(value)}


def name_in(slot: str, value: object) -> str:
    """Return the name of a part in its slot; what is a name already stays."""
    if isinstance(value, str):
        return value
    return name_of(value, slot) if slot in SLOTS else type(value).__name__


def plain_or_words(value: object) -> Json:
    """Return a value as JSON has it, and in words what JSON cannot hold."""
    if isinstance(value, dict):
        return {str(key): plain_or_words(item) for key, item in value.items()}
    try:
        found = plain(value)
    except TypeError:
        return f"{type(value).__name__}: {value!r}"[:LONGEST]
    return f"{len(found)} values" if isinstance(found, list) and len(found) > LONGEST else found
