"""Checks of the numbers that a user gives; every error says what was expected and what came."""

import math
from numbers import Integral, Real

import numpy as np


def whole_number(name: str, value: object, least: int) -> int:
    """Return a whole number of at least `least`.

    >>> whole_number("epochs", 0, 1)
    Traceback (most recent call last):
    ValueError: epochs must be a whole number of at least 1; got 0
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")
    return int(value)


def positive_number(name: str, value: object) -> float:
    """Return a finite number above 0."""
    number = as_float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be a positive number; got {value!r}")
    return number


def no_negative_number(name: str, value: object) -> float:
    """Return a finite number of at least 0."""
    number = as_float(value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be a number of at least 0; got {value!r}")
    return number


def fraction(name: str, value: object) -> float:
    """Return a number in [0, 1)."""
    number = as_float(value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} must be a number in [0, 1); got {value!r}")
    return number


def is_number(value: object) -> bool:
    """Return whether the value is a real number; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def as_float(value: object) -> float:
    """Return a real number as a float, and NaN for any other value."""
    return math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)


def flag(name: str, value: object) -> bool:
    """Return a value that is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False; got {value!r}")
    return bool(value)
