"""`State`: what is fitted, as plain facts and tensors, so that one file format holds every estimator."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

from isthmus.core.json_type import Json


class State(NamedTuple):
    """Facts that JSON can hold, and tensors by name.

    Examples
    --------
    >>> import torch
    >>> whole = joined(one=State({"n": 1}, {"x": torch.zeros(1)}), other=State({"n": 2}))
    >>> sorted(whole.facts), sorted(whole.tensors), part_of(whole, "other").facts
    (['one', 'other'], ['one.x'], {'n': 2})
    """

    facts: dict[str, Json]
    tensors: Mapping[str, Tensor] = MappingProxyType({})


def joined(**states: State) -> State:
    """Return several states as one; the names of their tensors get the state's name as a prefix."""
    facts: dict[str, Json] = {name: state.facts for name, state in states.items()}
    return State(facts, {f"{name}.{key}": t for name, state in states.items() for key, t in state.tensors.items()})


def part_of(state: State, name: str) -> State:
    """Return one of the states that `joined` put together.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    facts = state.facts[name]
    if not isinstance(facts, dict):
        raise ValueError(f"{name} is no state")
    return State(facts, prefixed(state.tensors, name))


def prefixed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with the prefix and a dot, without these."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}
