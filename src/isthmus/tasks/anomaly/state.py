"""How trained detectors are saved: as named facts and named tensors, never by pickle.

Every scorer, ensemble, calibration and explainer has a method `state()`, which returns a `State`, and a class method
`from_state(facts, tensors, ...)`, which rebuilds an equal object.
"""

from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from isthmus.core.checked_tensors import checked
from isthmus.core.tensor_file import TYPES
from isthmus.data.columns import Columns
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import Facts, State, Tensors


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
    classes: Classes = field(default_factory=dict)
    """The classes of parts and of the user's own methods, by class name."""


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


NUMBERS = tuple(TYPES.values())
"""Number types of tables."""
CSR = ("data", "indices", "indptr", "shape")
"""The arrays that make up a CSR array."""


def csr_parts(numbers: scipy.sparse.csr_array) -> tuple[np.ndarray, ...]:
    """Return the arrays that make up a CSR array."""
    return numbers.data, numbers.indices, numbers.indptr, np.array(numbers.shape)


def numbers_from_state(facts: Facts, tensors: Tensors) -> Numbers:
    """Return the table of numbers."""
    if "dense" in tensors:
        # Gaps are NaN, and infinite values are possible where a column has them.
        return checked(tensors, "dense", (None, None), NUMBERS, finite=False).numpy()
    whole = (torch.int32, torch.int64)
    rows, columns = checked(tensors, "shape", (2,), whole, least=0).tolist()
    data = checked(tensors, "data", (None,), NUMBERS, finite=False)
    indices = checked(tensors, "indices", data.shape, whole, least=0, most=columns - 1)
    ends = checked(tensors, "indptr", (rows + 1,), indices.dtype, least=0, most=len(data))
    # scipy's loops do not look where these point to.
    if int(ends[0]) != 0 or int(ends[-1]) != len(data) or bool((ends.diff() < 0).any()):
        raise ValueError("the rows of a sparse table do not follow each other")
    return scipy.sparse.csr_array((data.numpy(), indices.numpy(), ends.numpy()), shape=(rows, columns))
