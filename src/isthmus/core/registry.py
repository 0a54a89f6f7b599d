"""The registry of parts: the slot and the name of each, and the kind of column that it suits.

A part registers itself where it is defined; no other list names it:

    @register("likelihood", column="real")
    @dataclass
    class Laplace(Part): ...

From then on `AutoEncoder(likelihood="laplace")` and `AutoEncoder(columns={"price": "laplace"})` accept the name, model
files may hold the part, and the conformance tests and the API page find it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from isthmus.core.choices import refuse_unknown

SLOTS = (
    "encoder",
    "decoder",
    "code",
    "likelihood",
    "corruption",
    "penalty",
    "objective",
    "choice",
    "prior",
    "optimizer",
    "compute",
    "estimator",
)
"""The slots that a registered class can fill; a "choice" stands for another part, in any slot of a network."""

COLUMNS = ("real", "count", "boolean", "category")
"""The kinds of columns that a likelihood can suit."""

Kind = TypeVar("Kind", bound=type)


@dataclass(frozen=True)
class Registration:
    """One name of one part in one slot."""

    slot: str
    """One of `SLOTS`."""
    name: str
    """The name by which a user may ask for the part."""
    kind: type
    """The class of the part."""
    column: str | None = None
    """For a likelihood that a single column of a table can have: the kind of column that it suits, one of `COLUMNS`."""


REGISTERED: dict[tuple[str, str], Registration] = {}
"""Every registration, by slot and name."""


def register(*slots: str, name: str | None = None, column: str | None = None) -> Callable[[Kind], Kind]:
    """Return a class decorator that registers a part, so that users can ask for it by name.

    Parameters
    ----------
    *slots : str
        The slots that the part can fill, each one of `SLOTS`.
    name : str, optional
        The name by which users ask for the part; by default the class name in snake case (`TopK`: "top_k").
    column : {"real", "count", "boolean", "category"}, optional
        For a likelihood that a single column of a table can have: the kind of column that it suits.

    Returns
    -------
    callable
        The decorator; it returns the class unchanged.

    Raises
    ------
    ValueError
        If a slot or the kind of column is unknown, or if another class has the same slot and name.

    Examples
    --------
    >>> @register("penalty")
    ... class ForTheExample: ...
    >>> parts("penalty")["for_the_example"] is ForTheExample
    True
    >>> del REGISTERED["penalty", "for_the_example"]
    """
    for slot in slots:
        refuse_unknown("slot", slot, SLOTS)
    if column is not None:
        refuse_unknown("column", column, COLUMNS)

    def registered(kind: Kind) -> Kind:
        own = snake_case(kind.__name__) if name is None else name
        for slot in slots:
            refuse_second(slot, own, kind)
            REGISTERED[slot, own] = Registration(slot, own, kind, column)
        return kind

    return registered


def refuse_second(slot: str, name: str, kind: type) -> None:
    """Raise a `ValueError` if another class has this slot and name; a notebook may define the same class again."""
    known = REGISTERED.get((slot, name))
    if known is not None and dotted(known.kind) != dotted(kind):
        raise ValueError(
            f"there is a {slot} called {name!r} already, {dotted(known.kind)}: give {dotted(kind)} another name, "
            f"register({slot!r}, name=...)"
        )


def dotted(kind: type) -> str:
    """Return the name of a class with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def snake_case(name: str) -> str:
    """Return a class name in snake case.

    >>> snake_case("KLSparsity"), snake_case("TopK"), snake_case("L1")
    ('kl_sparsity', 'top_k', 'l1')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def parts(slot: str) -> dict[str, type]:
    """Return the classes that can fill a slot, by name, in the order of their registration."""
    return {entry.name: entry.kind for entry in REGISTERED.values() if entry.slot == slot}


def name_of(part: object, slot: str) -> str:
    """Return the registered name of the class of a part, or of its nearest base; else the class name in snake case."""
    for kind in type(part).__mro__:
        for entry in REGISTERED.values():
            if entry.slot == slot and entry.kind is kind:
                return entry.name
    return snake_case(type(part).__name__)


def column_likelihoods() -> dict[str, Registration]:
    """Return the likelihoods that a single column of a table can have, by name."""
    return {
        entry.name: entry for entry in REGISTERED.values() if entry.slot == "likelihood" and entry.column is not None
    }


def classes() -> dict[str, type]:
    """Return every registered class by its class name, which model files store."""
    return {entry.kind.__name__: entry.kind for entry in REGISTERED.values()}
