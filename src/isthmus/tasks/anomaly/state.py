"""How trained objects are saved: as named facts and named tensors, never by pickle.

Every scorer, ensemble, calibration and explainer has a method `state()`, which returns a `State`, and a class method
`from_state(facts, tensors, ...)`, which rebuilds an equal object. States nest: `nest` puts the states of an object's
members under their names, and `member` takes one of them out again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self, TypeAlias, cast, runtime_checkable

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from isthmus.data.columns import Columns
from isthmus.tasks.anomaly.number_table import Numbers, is_sparse

Facts: TypeAlias = Mapping[str, object]
"""Names, and states of members; everything in it can be written as JSON."""
Tensors: TypeAlias = Mapping[str, Tensor]
"""Numbers by name, with a dot between the name of a member and its own names."""


class State(NamedTuple):
    """What it takes to rebuild an object."""

    facts: Facts
    tensors: Tensors


class Saveable(Protocol):
    """An object that can be saved."""

    def state(self) -> State:
        """Return what it takes to rebuild the object."""
        ...


@runtime_checkable
class OwnSaveable(Protocol):
    """A user's own trained method that can be saved."""

    def state(self) -> tuple[Facts, Tensors]:
        """Return facts that JSON can hold, and tensors."""
        ...

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors) -> Self:
        """Return an equal object."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What trained objects need beside their own state when they are rebuilt."""

    columns: Columns | None
    """The columns of a table of several kinds; None for numbers alone."""
    device: torch.device
    """The device to compute on."""
    own: Mapping[str, type[OwnSaveable]] = field(default_factory=dict)
    """The classes of the user's own methods, by class name."""


def nest(members: Mapping[str, State], facts: Facts | None = None, tensors: Tensors | None = None) -> State:
    """Return the state of an object from the states of its members and its own facts and tensors.

    Examples
    --------
    >>> whole = nest({"left": State({}, {"x": torch.ones(2)})}, {"kind": "pair"})
    >>> sorted(whole.facts), sorted(whole.tensors), member("left", *whole).tensors["x"].tolist()
    (['kind', 'left'], ['left.x'], [1.0, 1.0])
    """
    all_facts, all_tensors = dict(facts or {}), dict(tensors or {})
    for name, state in members.items():
        all_facts[name] = dict(state.facts)
        all_tensors |= {f"{name}.{own}": tensor for own, tensor in state.tensors.items()}
    return State(all_facts, all_tensors)


def member(name: str, facts: Facts, tensors: Tensors) -> State:
    """Return the state of the member with that name.

    Raises
    ------
    ValueError
        If there is no such member.
    """
    if name not in facts:
        raise ValueError(f"the saved state has no member {name!r}; it has {', '.join(map(repr, facts)) or 'none'}")
    own = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
    return State(cast("Facts", facts[name]), own)


def members(prefix: str, facts: Facts, tensors: Tensors) -> Iterator[State]:
    """Yield the states of the members `prefix0`, `prefix1`, ... in their order."""
    place = 0
    while f"{prefix}{place}" in facts:
        yield member(f"{prefix}{place}", facts, tensors)
        place += 1


def own_copy(tensor: Tensor) -> Tensor:
    """Return a copy on the CPU, since tensors of a file may not share memory."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def as_tensor(array: np.ndarray | float | int) -> Tensor:
    """Return an array or number as a tensor with memory of its own."""
    return torch.from_numpy(np.array(array, order="C"))


def numbers_state(numbers: Numbers) -> State:
    """Return the state of a table of numbers."""
    if not is_sparse(numbers):
        return State({}, {"dense": as_tensor(numbers)})
    parts = {name: as_tensor(part) for name, part in zip(CSR, csr_parts(numbers), strict=True)}
    return State({}, parts)


CSR = ("data", "indices", "indptr", "shape")
"""The arrays that make up a CSR array."""


def csr_parts(numbers: scipy.sparse.csr_array) -> tuple[np.ndarray, ...]:
    """Return the arrays that make up a CSR array."""
    return numbers.data, numbers.indices, numbers.indptr, np.array(numbers.shape)


def numbers_from_state(facts: Facts, tensors: Tensors) -> Numbers:
    """Return the table of numbers."""
    if "dense" in tensors:
        return tensors["dense"].numpy()
    data, indices, indptr, shape = (tensors[name].numpy() for name in CSR)
    return scipy.sparse.csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
