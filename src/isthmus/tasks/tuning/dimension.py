"""`Dimension`: the values that one parameter may take in a search, as a user writes them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from numbers import Integral
from typing import TYPE_CHECKING

from isthmus.core.checks import as_float, is_number
from isthmus.core.contract import Part

if TYPE_CHECKING:
    from optuna.trial import Trial

FORMS = "a range (least, greatest) or (least, greatest, 'log') of numbers, or a list of values"
"""How a dimension is written."""


@dataclass(frozen=True)
class Dimension:
    """What one parameter may be: one of several values, or a number in a range.

    Parameters
    ----------
    name : str
        The parameter.
    choices : tuple
        The values; empty for a range.
    least, greatest : float
        The ends of the range, both included.
    whole, log : bool
        Whether the range has whole numbers only, and whether it is searched on a logarithmic scale.
    """

    name: str
    choices: tuple[object, ...] = ()
    least: float = 0.0
    greatest: float = 0.0
    whole: bool = False
    log: bool = False

    @property
    def labels(self) -> list[str]:
        """Each choice in words, by which a journal knows it."""
        return [label(choice) for choice in self.choices]

    def suggest(self, trial: "Trial") -> object:
        """Return the value that a trial is to take."""
        if self.choices:
            return self.choices[self.labels.index(str(trial.suggest_categorical(self.name, self.labels)))]
        if self.whole:
            return trial.suggest_int(self.name, int(self.least), int(self.greatest), log=self.log)
        return trial.suggest_float(self.name, self.least, self.greatest, log=self.log)

    def recorded(self, value: object) -> object | None:
        """Return how a journal would record a value; None if the dimension does not have it."""
        if self.choices:
            return label(value) if label(value) in self.labels else None
        number = as_float(value)
        if not self.least <= number <= self.greatest or (self.whole and not isinstance(value, Integral)):
            return None
        return int(number) if self.whole else number

    def value(self, recorded: object) -> object:
        """Return the value that a journal records so."""
        return self.choices[self.labels.index(str(recorded))] if self.choices else recorded

    def __str__(self) -> str:
        if self.choices:
            return ", ".join(self.labels)
        ends = (int(self.least), int(self.greatest)) if self.whole else (self.least, self.greatest)
        return f"{ends[0]:g} to {ends[1]:g}" + (" (log)" if self.log else "")


def label(value: object) -> str:
    """Return a value as text: names as they are, anything else as Python writes it.

    >>> label("relu"), label((128, 64)), label(None)
    ('relu', '(128, 64)', 'None')
    """
    return value if isinstance(value, str) else " ".join(repr(value).split())


def shown(value: object) -> str:
    """Return a value as a reader wants it: numbers rounded, parts without what is as usual.

    >>> from isthmus import L1, GaussianNoise
    >>> shown(0.00123456), shown(L1(weight=0.5)), shown(GaussianNoise()), shown([L1(0.5), None])
    ('0.001235', 'L1(weight=0.5)', 'GaussianNoise()', '[L1(weight=0.5), None]')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if not isinstance(value, Part):
        return label(value)
    usual = {parameter.name: parameter.default for parameter in signature(type(value)).parameters.values()}
    own = {name: held for name, held in value.get_params(deep=False).items() if held != usual.get(name)}
    return f"{type(value).__name__}({', '.join(f'{name}={shown(held)}' for name, held in own.items())})"


def dimension(name: str, given: object) -> Dimension:
    """Return the dimension that a user wrote.

    Raises
    ------
    ValueError
        If it is neither a range nor a list of values.

    Examples
    --------
    >>> print(dimension("learning_rate", (1e-4, 1e-2, "log")), dimension("hidden", [(128,), (256, 64)]), sep="; ")
    0.0001 to 0.01 (log); (128,), (256, 64)
    """
    if isinstance(given, list):
        return of_choices(name, given)
    if isinstance(given, tuple) and len(given) in (2, 3) and all(map(is_number, given[:2])):
        return of_range(name, given)
    raise ValueError(f"space[{name!r}] must be {FORMS}; got {given!r}")


def of_choices(name: str, given: Sequence[object]) -> Dimension:
    """Return a dimension of several values."""
    found = Dimension(name, tuple(given))
    if len(set(found.labels)) < len(given) or not given:
        raise ValueError(f"space[{name!r}] must list different values, at least one; got {given!r}")
    return found


def of_range(name: str, given: tuple[object, ...]) -> Dimension:
    """Return a dimension that is a range of numbers."""
    whole = all(isinstance(end, Integral) for end in given[:2])
    (least, greatest), scale = map(as_float, given[:2]), list(given[2:])
    if scale not in ([], ["log"]):
        raise ValueError(f"space[{name!r}]: behind the ends of a range only 'log' may stand; got {given!r}")
    log = bool(scale)
    if not -math.inf < least < greatest < math.inf:
        raise ValueError(
            f"space[{name!r}]: the ends of a range must be finite, the first less than the second; got {given!r}"
        )
    if log and least <= 0:
        raise ValueError(f"space[{name!r}]: on a logarithmic scale both ends must be above 0; got {given!r}")
    return Dimension(name, (), least, greatest, whole, log)


def dimensions(space: Mapping[str, object]) -> dict[str, Dimension]:
    """Return the dimensions of a space, by name.

    Raises
    ------
    ValueError
        If the space has none, or one cannot be read.
    """
    if not isinstance(space, Mapping) or not space:
        raise ValueError(f"space must be a dict from names of parameters to {FORMS}; got {space!r}")
    return {str(name): dimension(str(name), given) for name, given in space.items()}
