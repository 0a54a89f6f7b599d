"""`RobustCells`: the numbers of a table as detectors see them, on one scale, with far values drawn in."""

from collections.abc import Callable, Iterator
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.data.columns import Columns
from isthmus.data.scaling import LEAST_PEAK
from isthmus.data.tables import TableScaling

CLIP = 5.0
"""Standard deviations up to which a cell is as it is; beyond, its distance grows as a logarithm."""
STILL = 1e-3
"""Share of a constant column's own value that counts as its standard deviation, should it ever change."""
WIDE = 64
"""Columns from which on fractions between 0 and 1 are taken for the pixels of an image."""
PIECE = 4096
"""Rows to look at together."""


class RobustCells(nn.Module):
    """Brings numbers (B, R) to cells (B, C), each of mean 0 and standard deviation 1 over the rows of `fit`.

    Beyond `CLIP` standard deviations a cell c becomes CLIP + log(1 + |c| - CLIP), with its sign: an extreme value stays
    the more extreme one, but does not outweigh all other columns. Missing cells are 0, the mean. A category is a block
    of cells, of zeros and a one. A column that was constant in `fit` counts as far off as soon as it changes.
    Images (`of_one_unit`) are brought to one scale: a pixel that hardly ever changes counts no more than others.

    Parameters
    ----------
    columns
        What the columns of a mixed table are; None for numbers alone, each of which is a cell.

    Attributes
    ----------
    feature_group : Tensor of shape (C,)
        Which column each cell belongs to.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, columns: Columns | None = None) -> None:
        super().__init__()
        self.table = None if columns is None else TableScaling(columns)

    def fit(self, numbers: np.ndarray) -> Self:
        """Learn means and standard deviations from numbers (n, R), a block of rows at a time."""
        mean = self._mean(numbers, lambda raw: raw)
        variance = self._mean(numbers, lambda raw: (raw - mean).square())
        if self.table is None and of_one_unit(numbers):
            variance = variance.mean().expand(len(variance)).clone()
        scale, own_size = variance.sqrt(), torch.where(mean == 0, 1.0, mean.abs())
        self.register_buffer("shift", mean)
        self.register_buffer("scale", torch.where(scale <= 1e-12 * own_size, STILL * own_size, scale))
        self.feature_group = torch.arange(len(mean)) if self.table is None else self.table.feature_group
        return self

    def _mean(self, numbers: np.ndarray, of: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the mean of a function of the raw cells over the rows that have a value, (C,) float64."""
        total = counted = torch.zeros((), dtype=torch.float64)
        for block in pieces(numbers):
            values = of(self._raw(block))
            total = total + values.nan_to_num(nan=0.0).sum(0)
            counted = counted + (~values.isnan()).sum(0)
        return total / counted.clamp_min(1)

    def _raw(self, numbers: Tensor) -> Tensor:
        """Return cells (B, C) before they are scaled, float64, NaN where missing."""
        return numbers.double() if self.table is None else self.table(numbers, torch.float64)

    @property
    def count(self) -> int:
        """How many cells a row has."""
        return len(self.shift)

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers (B, R) of any type to cells (B, C), float32."""
        return drawn_in((self._raw(numbers) - self.shift) / self.scale).nan_to_num(nan=0.0).float()

    def inverse(self, cells: Tensor) -> Tensor:
        """Cells (B, C) to numbers (B, R) in their own units, float64; of categories the likeliest."""
        raw = drawn_out(cells.double()) * self.scale + self.shift
        return raw if self.table is None else self.table.inverse(raw)

    def by_column(self, values: Tensor) -> Tensor:
        """Sum what cells have, (B, C), to what their columns have, (B, columns)."""
        if self.table is None:
            return values
        feature_group = self.feature_group.to(values.device)
        return values.new_zeros(len(values), len(self.table.columns)).index_add(1, feature_group, values)

    def whole(self, numbers: np.ndarray) -> Tensor:
        """Return all rows of numbers (n, R) as cells (n, C), float32."""
        return torch.cat([self(block) for block in pieces(numbers)])


def of_one_unit(numbers: np.ndarray) -> bool:
    """Whether all columns have one unit, as pixels have: 8-bit unsigned integers, or many fractions from 0 to 1."""
    if numbers.dtype == np.uint8:
        return True
    if numbers.shape[1] < WIDE or numbers.min() < 0 or not LEAST_PEAK < numbers.max() <= 1:
        return False
    return bool((numbers != np.round(numbers)).any())


def pieces(numbers: np.ndarray) -> Iterator[Tensor]:
    """Pass over rows, some thousand at a time."""
    for start in range(0, len(numbers), PIECE):
        # A copy in the usual order: the sums do not depend on how the table lies in memory.
        yield torch.from_numpy(np.array(numbers[start : start + PIECE], dtype=np.float64, order="C"))


def drawn_in(cells: Tensor) -> Tensor:
    """Let distances beyond `CLIP` grow as a logarithm."""
    far = (cells.abs() - CLIP).clamp_min(0)
    return torch.where(far > 0, cells.sign() * (CLIP + far.log1p()), cells)


def drawn_out(cells: Tensor) -> Tensor:
    """Undo `drawn_in`."""
    far = (cells.abs() - CLIP).clamp_min(0)
    return torch.where(far > 0, cells.sign() * (CLIP + far.expm1()), cells)
