"""Parameters and parts as JSON, and back: numbers, text, lists, and parts by the name of their class.

Nothing is imported because a file names it: a part's class must be registered, or be given by the caller.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.core import registry
from isthmus.core.choices import unknown
from isthmus.core.contract import Part
from isthmus.core.json_type import Json

NOT_SAVED = ("callbacks", "verbose")
"""Parameters of estimators that belong to a run rather than to a model."""
ROWS = "validation"
"""The parameter that may hold rows of a table."""
Classes = Mapping[str, type]
"""Classes of parts by their names."""


class UnknownPartError(ValueError):
    """A file needs a part whose class is neither registered nor given."""


def known_classes(parts: Iterable[type] = ()) -> dict[str, type]:
    """Return every registered part's class by its name, and those given.

    Raises
    ------
    ValueError
        If a class that is given has the name of another one.
    """
    known = registry.classes()
    for kind in parts:
        if not isinstance(kind, type):
            raise ValueError(f"parts= takes classes, such as parts=[Logistic]; got {kind!r}")
        if known.get(kind.__name__, kind) is not kind:
            raise ValueError(f"there are two parts called {kind.__name__}; give one of the classes another name")
        known[kind.__name__] = kind
    return known


def plain(value: object) -> Json:
    """Return a parameter as JSON has it; a part as {"part": class name, "parameters": {...}}.

    Raises
    ------
    TypeError
        If it cannot be saved.
    """
    if isinstance(value, Part | BaseEstimator):
        if registry.classes().get(type(value).__name__, type(value)) is not type(value):
            raise TypeError(
                f"{value!r} cannot be saved in a model file: isthmus has a part called {type(value).__name__}; give "
                "your class another name"
            )
        return {"part": type(value).__name__, "parameters": plain_parameters(value)}
    if isinstance(value, dict):  # whose keys JSON would turn into text
        return {"pairs": [[plain(name), plain(item)] for name, item in value.items()]}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return None
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(
        f"a parameter with the value {value!r} cannot be saved in a model file: it must be a number, text, None, a "
        "tuple or dictionary of these, or a part (a dataclass that subclasses isthmus.Part)"
    )


def saved_parameters(parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters that belong to a model; of rows that validated its training nothing is kept."""
    kept = {name: value for name, value in parameters.items() if name not in NOT_SAVED}
    if not isinstance(kept.get(ROWS, ""), str | int | float):
        kept[ROWS] = "auto"
    return kept


def plain_parameters(part: Part | BaseEstimator) -> dict[str, Json]:
    """Return the hyper-parameters of a part as JSON has them; the error names the part."""
    parameters = saved_parameters(part.get_params(deep=False))
    try:
        return {name: plain(value) for name, value in parameters.items()}
    except TypeError as error:
        raise TypeError(f"the part {type(part).__name__} carries state that cannot be saved: {error}") from error


def revived(value: Any, classes: Classes) -> Any:
    """Undo `plain`; lists come back as tuples.

    Raises
    ------
    UnknownPartError
        If a part's class is not among `classes`.
    """
    if isinstance(value, dict) and "pairs" in value:
        return {revived(name, classes): revived(item, classes) for name, item in value["pairs"]}
    if isinstance(value, dict):
        if value["part"] not in classes:
            raise UnknownPartError(unknown("part", value["part"], classes))
        return classes[value["part"]](**{n: revived(item, classes) for n, item in value["parameters"].items()})
    return tuple(revived(item, classes) for item in value) if isinstance(value, list) else value


def parts_named(value: Json) -> Iterator[str]:
    """Yield the class names of all parts in a JSON value."""
    if isinstance(value, dict):
        if isinstance(value.get("part"), str) and "parameters" in value:
            yield str(value["part"])
        for item in value.values():
            yield from parts_named(item)
    elif isinstance(value, list):
        for item in value:
            yield from parts_named(item)
