"""Where parts are registered: the slot and the name of each, and the kind of column it suits.

A part registers itself where it is defined; nothing else lists it:

    @register("likelihood", column="real")
    @dataclass
    class Laplace(Part): ...

From then on `AutoEncoder(likelihood="laplace")` and `AutoEncoder(columns={"price": "laplace"})` know it, model files
may hold it, and the conformance tests and the API page find it.
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
    "prior",
    "optimizer",
    "compute",
)
"""The places that a part can fill: seven of an autoencoder, a penalty's prior, the optimiser and the machine."""

Kind = TypeVar("Kind", bound=type)


@dataclass(frozen=True)
class Registration:
    """A part as it was registered."""

    slot: str
    name: str
    """The name by which a user may ask for it."""
    kind: type
    """The class."""
    column: str | None = None
    """For a likelihood that a single column of a table can have: the kind of column, such as "real" or "count"."""


REGISTERED: dict[tuple[str, str], Registration] = {}
"""Every registration, by slot and name."""


def register(*slots: str, name: str | None = None, column: str | None = None) -> Callable[[Kind], Kind]:
    """Return a decorator that registers a part.

    Parameters
    ----------
    *slots : str
        The slots that the part can fill, each one of `SLOTS`.
    name : str, optional
        The name by which users ask for it; by default the class name in snake case (`TopK`: "top_k").
    column : str, optional
        For a likelihood: the kind of column that it suits, one of "real", "count", "boolean" and "category".

    Raises
    ------
    ValueError
        If the slot is unknown, or if another part has the same slot and name.

    Examples
    --------
    >>> @register("penalty")
    ... class ForTheExample: ...
    >>> parts("penalty")["for_the_example"] is ForTheExample
    True
    >>> del REGISTERED["penalty", "for_the_example"]
    """

    def registered(kind: Kind) -> Kind:
        for slot in slots:
            refuse_unknown("slot", slot, SLOTS)
            own = snake_case(kind.__name__) if name is None else name
            known = REGISTERED.get((slot, own))
            if known is not None and (known.kind.__module__, known.kind.__qualname__) != (
                kind.__module__,
                kind.__qualname__,
            ):
                raise ValueError(
                    f"there is a {slot} called {own!r} already, {known.kind.__module__}.{known.kind.__qualname__}: "
                    f"give {kind.__qualname__} another name with register({slot!r}, name=...)"
                )
            REGISTERED[slot, own] = Registration(slot, own, kind, column)
        return kind

    return registered


def snake_case(name: str) -> str:
    """Return a class name in snake case.

    >>> snake_case("KLSparsity"), snake_case("TopK"), snake_case("L1")
    ('kl_sparsity', 'top_k', 'l1')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def parts(slot: str) -> dict[str, type]:
    """Return the parts that can fill a slot, by name."""
    return {entry.name: entry.kind for entry in REGISTERED.values() if entry.slot == slot}


def name_of(part: object, slot: str) -> str:
    """Return the name under which the class of a part is registered; of a user's own part, its class in snake case."""
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
    """Return every registered class by its class name, as model files name it."""
    return {entry.kind.__name__: entry.kind for entry in REGISTERED.values()}
