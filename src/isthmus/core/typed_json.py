"""Values from JSON as the types that a class declares for its fields, or an error that names the field."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

WIDEST = 2**63
"""Whole numbers are smaller than this."""
NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", NoneType: "null"}

Kind = TypeVar("Kind")


def typed(kind: type[Kind], values: object, what: str = "") -> Kind:
    """Return the object of a dataclass or named tuple that has these values for its fields.

    Parameters
    ----------
    kind
        A class whose fields are numbers, texts, truth values, or tuples, lists, dictionaries and objects of them.
    values
        A dictionary with a value for every field without a default, as JSON has it.
    what
        What it is, for the error.

    Raises
    ------
    ValueError
        If a field is missing or unknown, or if a value is not of its type.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> class Size(NamedTuple):
    ...     width: float
    ...     names: tuple[str, ...] = ()
    >>> typed(Size, {"width": 2, "names": ["a"]})
    Size(width=2, names=('a',))
    >>> typed(Size, {"width": "wide"})
    Traceback (most recent call last):
    ...
    ValueError: width of Size must be a number; got 'wide'
    """
    what = what or kind.__name__
    if not isinstance(values, Mapping):
        raise ValueError(f"{what} must be an object; got {shown(values)}")
    types, needed = declared(cast(Hashable, kind))
    missing, unknown = needed - values.keys(), values.keys() - types.keys()
    if missing:
        raise ValueError(f"{what} lacks {', '.join(sorted(missing))}")
    if unknown:
        raise ValueError(f"{what} has no {', '.join(map(shown, sorted(unknown)))}")
    return kind(**{name: value_of(types[name], value, f"{name} of {what}") for name, value in values.items()})


@cache
def declared(kind: Hashable) -> tuple[dict[str, object], set[str]]:
    """Return the types of the fields of a class, and the names of those without a default."""
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        own = {field.name: hints[field.name] for field in fields(kind)}
        open_ = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
        return own, open_
    names = kind._fields  # type: ignore[attr-defined]  # a named tuple
    return {name: hints[name] for name in names}, set(names) - set(kind._field_defaults)  # type: ignore[attr-defined]


def value_of(kind: object, value: object, what: str) -> Any:
    """Return a value of JSON as this type, or raise a `ValueError`."""
    if kind in (Any, object):
        return value
    if kind is Hashable:
        return hashable(value, what)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return one_of(inner, value, what)
    if origin is Literal:
        return refuse_unless(value in inner, value, what, " or ".join(map(repr, inner)))
    if origin in (tuple, list) or origin is Sequence:
        return sequence(origin, inner, value, what)
    if origin is not None and issubclass(origin, Mapping):
        found = refuse_unless(isinstance(value, Mapping), value, what, "an object")
        return {key: value_of(inner[1], entry, f"{shown(key)} of {what}") for key, entry in found.items()}
    if isinstance(kind, type) and kind in NAMES:
        return scalar(kind, value, what)
    if isinstance(kind, type):
        return typed(kind, value, what)
    raise TypeError(f"files cannot hold {kind!r}")


def scalar(kind: type, value: object, what: str) -> object:
    """Return a number, a text, a truth value or None; whole numbers stand for numbers, too."""
    if kind is float and type(value) is int:
        return refuse_unless(abs(value) < WIDEST, value, what, "a number that is not as large")
    refuse_unless(type(value) is kind, value, what, NAMES[kind])
    if isinstance(value, int):
        refuse_unless(abs(value) < WIDEST, value, what, "a number that is not as large")
    if isinstance(value, float):
        refuse_unless(math.isfinite(value), value, what, "a finite number")
    return value


def one_of(kinds: Sequence[object], value: object, what: str) -> object:
    """Return a value as the first of several types that it can be: as it is, if it is of one of them."""
    if type(value) in kinds:
        return scalar(type(value), value, what) if type(value) in NAMES else value
    for kind in kinds:
        try:
            return value_of(kind, value, what)
        except ValueError as error:
            reason = error
    raise reason


def sequence(origin: object, inner: Sequence[Any], value: object, what: str) -> object:
    """Return a list of JSON as a tuple or list, each item of the declared type."""
    items = refuse_unless(isinstance(value, list | tuple), value, what, "a list")
    pair = origin is tuple and inner[-1] is not Ellipsis
    refuse_unless(not pair or len(items) == len(inner), value, what, f"a list of {len(inner)}")
    kinds = inner if pair else [inner[0]] * len(items)
    found = [value_of(kind, item, f"an item of {what}") for kind, item in zip(kinds, items, strict=True)]
    return found if origin is list else tuple(found)


def hashable(value: object, what: str) -> Hashable:
    """Return a name: a text, a number, a truth value, None, or a tuple of them."""
    if isinstance(value, list | tuple):
        return tuple(hashable(item, what) for item in value)
    refuse_unless(type(value) in NAMES, value, what, "a name")
    return scalar(type(value), value, what)


def refuse_unless(holds: bool, value: object, what: str, expected: str) -> Any:
    """Return the value, or raise a `ValueError` that says what was expected."""
    if not holds:
        raise ValueError(f"{what} must be {expected}; got {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return a value as text, the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
