"""`RobustCells`: the numbers of a table on one robust scale, with extreme values compressed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.core.checked_tensors import checked
from isthmus.data.columns import Columns
from isthmus.data.scaling import LEAST_PEAK
from isthmus.data.table import Numbers
from isthmus.data.tables import TableScaling
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.state import own_copy

CLIP = 5.0
"""Standard deviations up to which a cell is left as it is; beyond, its distance grows as a logarithm."""
FARTHEST = 1e300
"""Standard deviations beyond which all distances count alike."""
CONSTANT_SCALE = 1e-3
"""The standard deviation assumed for a constant column, as a share of its value, should it ever change."""
WIDE = 64
"""Number of columns from which fractions between 0 and 1 are taken for the pixels of an image."""
BLOCK = 4096
"""Rows per block."""
FENCE_ROWS = 5000
"""Rows that tell how far a cell usually is from its median; rows are in random order."""
TAILS = (0.05, 0.01, 0.002)
"""Shares of the values at either end that count as far off; the first at which values differ is taken."""
WILD = 50.0
"""Standard deviations beyond which a cell is wild: nothing is learned from its row, in a clean setting either."""
REACH = 5.0
"""How many times as far from the median as that a value may be before it is drawn in for mean and deviation."""


class RobustCells(nn.Module):
    """Turns numbers (B, R) into cells (B, C), each with mean 0 and standard deviation 1 over the rows of `fit`.

    Mean and standard deviation are winsorised: a few wild cells, however wild, change them little (`fences`). Beyond
    `CLIP` standard deviations a cell c becomes sign(c) (CLIP + log(1 + |c| - CLIP)): a soft clip, after which the more
    extreme of two values is still the more extreme, but does not outweigh all other columns. Missing cells are 0, the
    mean. A category is a block of cells with a single one. A column that was constant in `fit` counts as far off as
    soon as it changes. All pixels of an image share one scale (see `has_one_unit`), so that a pixel that hardly ever
    changes counts no more than others.

    Parameters
    ----------
    columns
        The columns of a table of several kinds; None for numbers alone, each of which is a cell.

    Attributes
    ----------
    shift, scale : Tensor of shape (C,)
        Mean and standard deviation of each cell before scaling, float64.
    feature_group : Tensor of shape (C,)
        The column that each cell belongs to.
    """

    def __init__(self, columns: Columns | None = None) -> None:
        super().__init__()
        self.table = None if columns is None else TableScaling(columns)
        self._scale_by(torch.zeros(0, dtype=torch.float64), torch.ones(0, dtype=torch.float64))

    def _scale_by(self, shift: Tensor, scale: Tensor) -> None:
        self.shift, self.scale = nn.Buffer(shift), nn.Buffer(scale)
        self.feature_group = torch.arange(len(shift)) if self.table is None else self.table.feature_group

    def fit(self, numbers: Numbers) -> Self:
        """Learn winsorised means and standard deviations from numbers (n, R), block by block."""
        low, high = fences(self._unscaled(torch.from_numpy(np.array(numbers[:FENCE_ROWS], dtype=np.float64))))
        mean = self._mean(numbers, lambda raw: raw.clamp(low, high))
        variance = self._mean(numbers, lambda raw: (raw.clamp(low, high) - mean).square())
        if self.table is None and has_one_unit(numbers):
            variance = variance.mean().expand(len(variance)).clone()
        scale, magnitude = variance.sqrt(), torch.where(mean == 0, 1.0, mean.abs())
        self._scale_by(mean, torch.where(scale <= 1e-12 * magnitude, CONSTANT_SCALE * magnitude, scale))
        return self

    def _mean(self, numbers: Numbers, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the mean of a function of the unscaled cells over the rows that have a value, (C,) float64."""
        total = count = torch.zeros((), dtype=torch.float64)
        for block in blocks(numbers):
            values = function(self._unscaled(block))
            total = total + values.nan_to_num(nan=0.0).sum(0)
            count = count + (~values.isnan()).sum(0)
        return total / count.clamp_min(1)

    def _unscaled(self, numbers: Tensor) -> Tensor:
        """Return cells (B, C) before they are scaled, float64, NaN where missing."""
        return numbers.double() if self.table is None else self.table(numbers, torch.float64)

    @property
    def count(self) -> int:
        """Number of cells per row, C."""
        return len(self.shift)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.count if self.table is None else len(self.table.columns)

    @property
    def single(self) -> Tensor:
        """The cells that are alone in their column: not those of categories. Indices, in order.

        Rows with a rare category are far from the others in its cell, and if they were trimmed for it, nothing would be
        left of the cell's variance, and all of them would be taken for anomalies.
        """
        group = self.feature_group
        return torch.nonzero(torch.bincount(group, minlength=1)[group] == 1).flatten()

    def forward(self, numbers: Tensor) -> Tensor:
        """Turn numbers (B, R) of any type into cells (B, C), float32."""
        scaled = (self._unscaled(numbers) - self.shift) / self.scale
        return soft_clip(scaled.clamp(-FARTHEST, FARTHEST)).nan_to_num(nan=0.0).float()

    def inverse(self, cells: Tensor, near: Tensor) -> Tensor:
        """Turn cells (B, C) into numbers (B, R) in the data's units, float64; categories become the likeliest one.

        Times of which the calendar is known become the ones next to those of rows `near`, numbers (B, R).
        """
        raw = undo_soft_clip(cells.double()) * self.scale + self.shift
        return raw if self.table is None else self.table.inverse(raw, near=near)

    def sum_by_column(self, values: Tensor) -> Tensor:
        """Sum values of cells (B, C) over the cells of each column, (B, columns)."""
        if self.table is None:
            return values
        feature_group = self.feature_group.to(values.device)
        return values.new_zeros(len(values), self.columns).index_add(1, feature_group, values)

    def transform(self, numbers: Numbers) -> Tensor:
        """Return all rows of numbers (n, R) as cells (n, C), float32."""
        return torch.cat([self(block) for block in blocks(numbers)])

    def known_columns(self) -> Columns | None:
        """Return the columns of the table, real ones with winsorised moments where wild cells have doubled them.

        The columns were surveyed before it was known which cells are wild.
        """
        if self.table is None:
            return None
        columns = list(self.table.columns)
        for cell, index in enumerate(self.table.real):
            shift, scale = float(self.shift[cell]), float(self.scale[cell])
            if scale < 0.5 and columns[index].smallest < columns[index].largest:
                own = columns[index]
                mean, deviation = own.mean + shift * own.deviation, scale * own.deviation
                columns[index] = replace(own, mean=mean, deviation=deviation)
        return Columns(columns)

    def state(self) -> State:
        """Return shift and scale."""
        return State({}, {"shift": own_copy(self.shift), "scale": own_copy(self.scale)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, columns: Columns | None) -> Self:
        """Rebuild cells from shift and scale."""
        cells = cls(columns)
        count = None if cells.table is None else cells.table.cells
        shift = checked(tensors, "shift", (count,))
        scale = checked(tensors, "scale", shift.shape)
        if not bool((scale > 0).all()):
            raise ValueError("the scale of cells must be positive")
        cells._scale_by(shift, scale)
        return cells


def has_one_unit(numbers: Numbers) -> bool:
    """Whether all columns share one unit, as pixels do: 8-bit unsigned integers, or many fractions from 0 to 1."""
    if numbers.dtype == np.uint8:
        return True
    if numbers.shape[1] < WIDE or numbers.min() < 0 or not LEAST_PEAK < numbers.max() <= 1:
        return False
    return bool((numbers != np.round(numbers)).any())


def blocks(numbers: Numbers) -> Iterator[Tensor]:
    """Yield the rows in blocks of some thousand, float64."""
    for start in range(0, len(numbers), BLOCK):
        # A copy in row-major order: the sums must not depend on how the table lies in memory.
        yield torch.from_numpy(np.array(numbers[start : start + BLOCK], dtype=np.float64, order="C"))


def fences(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least and greatest values of each cell (n, C) that count in full for its moments, (C,) each.

    They lie `REACH` times as far from the median as the farther one of the quantiles at `TAILS`: of normal values at
    eight standard deviations, so that they matter to wild cells alone. Cells that hardly ever differ have none.
    """
    shares = torch.tensor([0.5, *TAILS, *(1 - share for share in TAILS)], dtype=cells.dtype)
    found = torch.nanquantile(cells, shares, dim=0).nan_to_num(nan=0.0)
    middle, ends = found[0], found[1:]
    usual = torch.full_like(middle, math.inf)
    for low, high in reversed(list(zip(ends[: len(TAILS)], ends[len(TAILS) :], strict=True))):
        farther = torch.maximum(middle - low, high - middle)
        usual = torch.where(farther > 0, farther, usual)
    return middle - REACH * usual, middle + REACH * usual


def has_wild_cell(cells: Tensor) -> Tensor:
    """Return whether a row of cells (n, C) has one beyond `WILD` standard deviations, (n,) bool."""
    return cells.abs().amax(1) > soft_clip(torch.tensor(WILD))


def soft_clip(cells: Tensor) -> Tensor:
    """Let distances beyond `CLIP` grow as a logarithm."""
    beyond = (cells.abs() - CLIP).clamp_min(0)
    return torch.where(beyond > 0, cells.sign() * (CLIP + beyond.log1p()), cells)


def undo_soft_clip(cells: Tensor) -> Tensor:
    """Invert `soft_clip`."""
    beyond = (cells.abs() - CLIP).clamp_min(0)
    return torch.where(beyond > 0, cells.sign() * (CLIP + beyond.clamp_max(math.log(FARTHEST)).expm1()), cells)
