"""Parts in a recipe: {name: {parameter: value}}, with what differs from the defaults; and back."""

import math
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

import numpy as np
from torch import nn

from isthmus.core import registry
from isthmus.core.choices import unknown
from isthmus.core.contract import Part
from isthmus.core.document import Plain, Steps
from isthmus.engine.compute import Compute
from isthmus.estimators.recipe_error import RecipeError

CHOICE = "choice"
"""The slot of parts that stand for another one, in any slot."""
PENALTY = "penalty"
"""The slot that several parts can fill, as a list."""
MACHINE = "compute"
"""The slot with one kind of part alone, whose parameters need no name around them."""


def plain_value(slot: str, value: object, steps: Steps) -> Plain:
    """Return a parameter as a recipe has it.

    Parameters
    ----------
    slot
        The slot that the parameter fills, or its name if it fills none.
    value
        The parameter.
    steps
        What leads to it, for messages.

    Raises
    ------
    RecipeError
        If a recipe cannot hold it.

    Examples
    --------
    >>> from isthmus import KL, MMD, MixturePrior
    >>> plain_value("penalty", [KL(beta=4), MMD(prior=MixturePrior(radius=2.0))], ())
    [{'kl': {'beta': 4}}, {'mmd': {'prior': {'mixture': {'radius': 2.0}}}}]
    """
    if isinstance(value, Part):
        return plain_part(slot, value, steps)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {plain_key(key, steps): plain_value(str(key), item, (*steps, str(key))) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biu":
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_value(slot, item, (*steps, index)) for index, item in enumerate(value)]
    raise RecipeError(steps, why_not(value))


def plain_key(key: object, steps: Steps) -> str | int:
    """Return a key as a recipe has it."""
    if isinstance(key, np.integer):
        return int(key)
    if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
        return key
    raise RecipeError(steps, f"keys in a recipe are text or whole numbers; got {key!r}")


def why_not(value: object) -> str:
    """Return in words why a recipe cannot hold a value, and what it can hold."""
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return f"a recipe cannot hold the state of a {type(value).__name__}: give a whole number"
    if isinstance(value, nn.Module):
        return (
            f"a recipe cannot hold a torch module such as {type(value).__name__}: register a part that builds it "
            "(isthmus.register), or save the model"
        )
    if callable(value):
        return f"a recipe cannot hold a function or class such as {value!r}: give a registered name"
    if isinstance(value, float):
        return f"a recipe holds finite numbers; got {value!r}"
    return (
        f"a recipe cannot hold a {type(value).__name__}: it holds numbers, text, true and false, null, lists, and "
        "registered parts"
    )


def plain_part(slot: str, part: Part, steps: Steps) -> Plain:
    """Return a part as a recipe has it."""
    given: dict[str | int, Plain] = differing(slot, part, steps)
    if slot == MACHINE and type(part) is Compute:
        return given
    return {recipe_name(slot, part, steps): given}


def differing(slot: str, part: Part, steps: Steps) -> dict[str | int, Plain]:
    """Return the parameters of a part that differ from its defaults."""
    found, usual = plain_fields(slot, part, steps), default_of(type(part))
    if usual is None:
        return found
    default = plain_fields(slot, usual, steps)
    return {name: value for name, value in found.items() if value != default[name]}


def plain_fields(slot: str, part: Part, steps: Steps) -> dict[str | int, Plain]:
    """Return all parameters of a part as a recipe has them."""
    given = part.get_params(deep=False).items()
    return {name: plain_value(slot_in(type(part), name, slot), value, (*steps, name)) for name, value in given}


def default_of(kind: type[Part]) -> Part | None:
    """Return the part with its default parameters; None if some have no default."""
    try:
        return kind()
    except TypeError:
        return None


def recipe_name(slot: str, part: Part, steps: Steps) -> str:
    """Return the name of a part in its slot; where it has none there, that of its class."""
    for name, kind in candidates(slot).items():
        if kind is type(part):
            return name
    raise RecipeError(
        steps,
        f"a recipe names parts, and {type(part).__name__} is not registered: decorate its class with "
        f"@isthmus.register({slot!r})",
    )


def candidates(slot: str) -> dict[str, type]:
    """Return the parts that may stand in a slot: by their names in it, and all parts by the names of their classes."""
    return registry.parts(slot) | registry.parts(CHOICE) | registry.classes()


def slot_in(kind: type, field: str, outer: str = "") -> str:
    """Return the slot of a parameter of a part: its own name, and for a part that stands for others the part's slot."""
    return outer if outer and kind in registry.parts(CHOICE).values() else field


def read_value(slot: str, value: Plain, steps: Steps) -> Any:
    """Return what a value in a recipe means: parts, tuples for lists, and all else as it is.

    Raises
    ------
    RecipeError
        If a part or one of its parameters is unknown; the message names what was probably meant.

    Examples
    --------
    >>> read_value("penalty", [{"kl": {"beta": 4}}, "l1"], ())
    [KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None), 'l1']
    """
    if isinstance(value, list):
        read = [read_value(slot, item, (*steps, index)) for index, item in enumerate(value)]
        return read if slot == PENALTY and any(isinstance(item, Part) for item in read) else tuple(read)
    if not isinstance(value, dict):
        return value
    if slot == MACHINE:
        return built(Compute, value, steps)
    if slot in registry.SLOTS:
        return read_part(slot, value, steps)
    if len(value) == 1 and any(name in registry.classes() and isinstance(item, dict) for name, item in value.items()):
        return read_part(slot, value, steps)
    return {key: read_value(str(key), item, (*steps, key)) for key, item in value.items()}


def read_part(slot: str, value: Mapping[str | int, Plain], steps: Steps) -> Any:
    """Return the part that a mapping means."""
    if len(value) != 1:
        raise RecipeError(
            steps,
            f"one part is one name with its parameters, such as {slot}: {{l1: {{weight: 0.1}}}}; got "
            f"{', '.join(map(repr, value)) or 'none'}" + (" (several are a list)" if len(value) > 1 else ""),
        )
    [(name, parameters)] = value.items()
    known = candidates(slot)
    if name not in known:
        own = registry.parts(slot) | registry.parts(CHOICE)
        raise RecipeError((*steps, name), unknown(slot, name, own if slot in registry.SLOTS else known))
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        raise RecipeError(
            (*steps, name), f"the parameters of {name} must have names, such as {{weight: 0.1}}; got {parameters!r}"
        )
    return built(known[str(name)], parameters, (*steps, name), slot)


def built(kind: type, parameters: Mapping[str | int, Plain], steps: Steps, slot: str = "") -> Any:
    """Return a part with these parameters."""
    names = list(signature(kind).parameters)
    refuse_unknown_keys(f"parameter of {kind.__name__}", parameters, names, steps)
    read = {
        str(key): read_value(slot_in(kind, str(key), slot), item, (*steps, key)) for key, item in parameters.items()
    }
    try:
        return kind(**read)
    except (TypeError, ValueError) as error:
        raise RecipeError(steps, str(error)) from error


def refuse_unknown_keys(kind: str, given: Iterable[str | int], known: Iterable[str], steps: Steps) -> None:
    """Raise a `RecipeError` if a key is none of the known ones."""
    known = list(known)
    for key in given:
        if key not in known:
            raise RecipeError((*steps, key), unknown(kind, key, known))
