"""`State`: what is fitted, as plain facts and tensors, so that one file format holds every estimator.

States nest: `nest` puts the states of an object's members under their names, and `member` takes one of them out again.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from torch import Tensor

from isthmus.core.json_type import Json

Facts: TypeAlias = Mapping[str, Json]
"""Facts by name, and those of members; everything in it can be written as JSON."""
Tensors: TypeAlias = Mapping[str, Tensor]
"""Tensors by name, with a dot between the name of a member and its own names."""
NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class State(NamedTuple):
    """Facts that JSON can hold, and tensors by name."""

    facts: Facts
    tensors: Tensors = NOTHING


def nest(members: Mapping[str, State], facts: Facts | None = None, tensors: Tensors | None = None) -> State:
    """Return the state of an object from the states of its members and its own facts and tensors.

    Examples
    --------
    >>> import torch
    >>> whole = nest({"left": State({}, {"x": torch.ones(2)})}, {"kind": "pair"})
    >>> sorted(whole.facts), sorted(whole.tensors), member("left", *whole).tensors["x"].tolist()
    (['kind', 'left'], ['left.x'], [1.0, 1.0])
    """
    all_facts, all_tensors = dict(facts or {}), dict(tensors or {})
    for name, state in members.items():
        all_facts[name] = dict(state.facts)
        all_tensors |= {f"{name}.{own}": tensor for own, tensor in state.tensors.items()}
    return State(all_facts, all_tensors)


def trainable(state: State) -> State:
    """Return a state whose tensors can be trained on, also where it was read in `torch.inference_mode`."""
    own = {name: tensor.clone() if tensor.is_inference() else tensor for name, tensor in state.tensors.items()}
    return State(state.facts, own)


def member(name: str, facts: Facts, tensors: Tensors) -> State:
    """Return the state of the member with that name.

    Raises
    ------
    ValueError
        If there is no such member.
    """
    found = facts.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"the saved state has no member {name!r}; it has {', '.join(map(repr, facts)) or 'none'}")
    return State(found, prefixed(tensors, name))


def members(prefix: str, facts: Facts, tensors: Tensors) -> Iterator[State]:
    """Yield the states of the members `prefix0`, `prefix1`, ... in their order."""
    place = 0
    while f"{prefix}{place}" in facts:
        yield member(f"{prefix}{place}", facts, tensors)
        place += 1


def prefixed(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with the prefix and a dot, without these."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}
