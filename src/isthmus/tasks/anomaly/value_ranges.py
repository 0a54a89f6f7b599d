"""`ValueRanges`: between which values the columns of a table of numbers lie, and which hold whole numbers."""

from typing import NamedTuple, Self

import numpy as np
import torch

from isthmus.core.checked_tensors import checked
from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.state import as_tensor


class ValueRanges(NamedTuple):
    """The ranges of the columns of numbers (n, columns) without gaps.

    Examples
    --------
    >>> ranges = ValueRanges.of(np.array([[0.0, 0.5], [3.0, 1.5]]))
    >>> ranges.nearest(np.array([[1.4, 1.4], [-2.0, 9.0]])).tolist()
    [[1.0, 1.4], [0.0, 1.5]]
    """

    lowest: np.ndarray
    """(columns,)"""
    highest: np.ndarray
    """(columns,)"""
    whole: np.ndarray
    """(columns,) bool: whether all values are whole numbers."""

    @classmethod
    def of(cls, numbers: np.ndarray) -> Self:
        """Learn from training rows."""
        # Column by column, since rows may be many images.
        whole = [bool((column == np.round(column)).all()) for column in numbers.T]
        return cls(numbers.min(0), numbers.max(0), np.array(whole))

    def nearest(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers (m, columns) as the nearest ones that the columns may hold."""
        return np.where(self.whole, np.round(numbers), numbers).clip(self.lowest, self.highest)

    def state(self) -> Tensors:
        """Return the ranges as tensors by name."""
        return {name: as_tensor(values) for name, values in self._asdict().items()}

    @classmethod
    def from_state(cls, tensors: Tensors) -> Self | None:
        """Undo `state`; None if there are no ranges among the tensors."""
        if "whole" not in tensors:
            return None
        whole = checked(tensors, "whole", (None,), torch.bool)
        kinds = {name: tensors[name].dtype for name in ("lowest", "highest") if name in tensors}
        lowest, highest = (
            checked(tensors, name, whole.shape, kinds.get(name, torch.float64)) for name in ("lowest", "highest")
        )
        found = cls(lowest.numpy(), highest.numpy(), whole.numpy())
        if (found.lowest > found.highest).any():
            raise ValueError("the ranges of columns must not end before they begin")
        return found
