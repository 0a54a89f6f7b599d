"""Scaling: from the data's own units to the network's, and back.

`Scaling` is the contract. `AffineScaling` fulfils it for tables of numbers, and `isthmus.data.tables.TableScaling` for
tables whose columns are of several kinds.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.core.choices import refuse_unknown
from isthmus.data.moments import Summary
from isthmus.data.one_unit import one_unit

SCALES = ("standard", "minmax", "global", "common", "none")
"""The names that `scaling` knows."""
LEAST_PEAK = 0.1
"""Non-negative data whose largest value is at most this are in a small unit: they are not grey levels or shares."""


class Scaling(nn.Module):
    """What brings rows of numbers to the network's units and back; the contract of every scaling.

    A row of the table has R numbers (`numbers`), and the network sees F cells (`cells`). Calling the scaling maps
    (B, R) to (B, F), and `inverse` maps (B, F) to (B, R). `state_dict` holds what a model file must keep; a scaling
    that can be rebuilt from the columns keeps nothing there.

    Attributes
    ----------
    shifted : bool
        Whether 0 may be mapped to another number than 0. A table whose zeros stay zeros can stay sparse.
    """

    shifted: bool = True
    costly: bool = False
    """Whether scaling a batch takes longer than gathering one that is scaled, so that it pays to scale rows once."""

    @property
    def numbers(self) -> int:
        """How many numbers a row of the table has, R."""
        raise NotImplementedError

    @property
    def cells(self) -> int:
        """How many numbers the network sees per row, F."""
        raise NotImplementedError

    @property
    def feature_group(self) -> Tensor:
        """Which column of the table each cell belongs to, (F,) int64."""
        raise NotImplementedError

    def forward(self, raw: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Map rows (B, R) of any number type to the network's units, (B, F) in `dtype`.

        The result is written to `out` if it is given, which may be the memory of `raw`.
        """
        raise NotImplementedError

    def inverse(self, x: Tensor, rounded: bool = True) -> Tensor:
        """Map cells (B, F) in the network's units to numbers (B, R) in the data's, float64.

        `rounded` states whether values are rounded as the values of their columns are, where the columns are known.
        """
        raise NotImplementedError

    def by_column(self, values: Tensor) -> Tensor:
        """Sum the values of cells, (B, F), over the cells of each column, (B, columns)."""
        raise NotImplementedError

    def log_derivatives(self, x: Tensor) -> Tensor:
        """Return log |dx/dv| of each cell x (B, F) with respect to the value v in the data's units, (B, F) float64."""
        raise NotImplementedError

    def log_volume(self, x: Tensor) -> Tensor:
        """Return -Σ log |dx/dv| of each row x (B, F), (B,) float64.

        Subtract it from a log-density in the network's units to get the log-density in the data's.
        """
        return -self.log_derivatives(x).sum(1)

    def refresh(self) -> None:
        """Update what is derived from the saved tensors; call it after these were loaded or changed."""


class AffineScaling(Scaling):
    """The affine map (x - shift) / scale of every column; saved with the model.

    Parameters
    ----------
    shift, scale : Tensor of shape (F,)
        Float64; scale is positive.

    Attributes
    ----------
    common : float or None
        The scale, if all columns have the same one.

    Examples
    --------
    >>> chosen = AffineScaling(*torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64))
    >>> chosen(torch.tensor([[3.0, 6.0]]), torch.float32)
    tensor([[1., 1.]])
    """

    def __init__(self, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.shift = nn.Buffer(shift)
        self.scale = nn.Buffer(scale)
        self.refresh()

    def refresh(self) -> None:
        """Update the shortcuts for maps that need no shift, or have one scale for all columns."""
        self.shifted = bool((self.shift != 0).any())
        common = self.scale[0].item() if len(self.scale) and bool((self.scale == self.scale[0]).all()) else None
        self.common: float | None = common

    def forward(self, raw: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Map rows (B, F) of any number type to the network's units, in `dtype`; see `Scaling.forward`."""
        if not self.shifted and self.common is not None:
            x = raw.to(dtype) if out is None else copied(raw, out)
            return x if self.common == 1 else torch.mul(x, 1 / self.common, out=out)
        # Subtracting before the conversion to a narrower type keeps the digits that a large offset would cost there.
        wide = torch.float32 if raw.dtype in NARROW else torch.float64
        if out is None or out.dtype != wide:
            x = ((raw.to(wide) - self.shift.to(wide)) / self.scale.to(wide)).to(dtype)
            return x if out is None else out.copy_(x)
        return copied(raw, out).sub_(self.shift.to(wide)).div_(self.scale.to(wide))

    def inverse(self, x: Tensor, rounded: bool = True) -> Tensor:
        """Map rows (B, F) in the network's units to the data's, float64; nothing is ever rounded."""
        return x.double() * self.scale + self.shift

    def words(self) -> list[str]:
        """Return how each column is scaled, in words.

        >>> AffineScaling(torch.tensor([0.0, 2.0, 0.0]), torch.tensor([1.0, 0.5, 255.0])).words()
        ['none', '(x - 2) / 0.5', 'x / 255']
        """
        found = []
        for shift, scale in zip(self.shift.tolist(), self.scale.tolist(), strict=True):
            shifted = f"(x {'-' if shift > 0 else '+'} {abs(shift):.3g})" if shift else "x"
            found.append(f"{shifted} / {scale:.3g}" if scale != 1 else shifted if shift else "none")
        return found

    @property
    def cells(self) -> int:
        """How many numbers the network sees per row, F."""
        return len(self.scale)

    @property
    def numbers(self) -> int:
        """How many numbers a row of the table has: also F."""
        return len(self.scale)

    @property
    def feature_group(self) -> Tensor:
        """Which column each cell belongs to: its own, (F,) int64."""
        return torch.arange(len(self.scale), device=self.scale.device)

    def by_column(self, values: Tensor) -> Tensor:
        """Return the values (B, F) as they are: every column has one cell."""
        return values

    def log_derivatives(self, x: Tensor) -> Tensor:
        """Return -log scale for each cell x, (B, F) float64."""
        return -self.scale.to(x.device).log().expand(len(x), -1)

    def log_volume(self, x: Tensor) -> Tensor:
        """Return Σ log scale for each row x, (B,) float64."""
        return self.scale.to(x.device).log().sum().expand(len(x))


def copied(source: Tensor, to: Tensor) -> Tensor:
    """Copy a tensor to other memory, unless both are the same object."""
    return to if source is to else to.copy_(source)


NARROW = (torch.uint8, torch.int8, torch.int16, torch.bool, torch.float16, torch.bfloat16, torch.float32)
"""Number types whose values float32 holds exactly."""


class ScaleChoice(NamedTuple):
    """The name of a scaling, and why it was chosen."""

    name: str
    reason: str


def automatic_scale(summary: Summary, dtype: torch.dtype, rows: np.ndarray | None) -> ScaleChoice:
    """Return the scaling that suits columns with these statistics: one scale if they are in one unit.

    Parameters
    ----------
    summary : Summary
        The statistics of the columns.
    dtype : torch.dtype
        The number type of the data.
    rows : ndarray of shape (n, F), optional
        Some of the rows, by which columns of one unit are found; without them, only values in [0, 1] and 8-bit integers
        count as such.
    """
    smallest, largest = summary.smallest.min().item(), summary.largest.max().item()
    if summary.binary:
        return ScaleChoice("none", "zeros and ones")
    if dtype == torch.uint8:
        return ScaleChoice("global", "8-bit unsigned integers")
    in_unit_interval = smallest >= 0 and LEAST_PEAK < largest <= 1
    if rows is None:
        if in_unit_interval:
            return ScaleChoice("none", "all values are in [0, 1]")
        return ScaleChoice("standard", "columns may be in different units")
    found = one_unit(summary, rows)
    if found is None:
        return ScaleChoice("standard", "columns may be in different units")
    begins_at_zero = "none" if in_unit_interval else "global"
    return ScaleChoice(begins_at_zero if found.begins else "common", f"one unit: {found.reason}")


def scaling(method: str | None, summary: Summary) -> AffineScaling:
    """Return the scaling of this name for columns with these statistics; a constant column is shifted but not scaled.

    Parameters
    ----------
    method : {"standard", "minmax", "global", "common", "none"} or None
        "none" or None leaves the values as they are; "standard" brings every column to mean 0 and standard deviation
        1; "minmax" brings every column to [0, 1]; "global" brings all columns to [0, 1] by one shift and one scale,
        which keeps their relative sizes; "common" brings every column to mean 0 and all together to a mean variance of
        1, by one scale.
    summary : Summary
        The statistics of the columns.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    method = "none" if method is None else method
    refuse_unknown("scale", method, SCALES)
    smallest, largest = summary.smallest.min().item(), summary.largest.max().item()
    zero = torch.zeros_like(summary.mean)
    if method == "none":
        return AffineScaling(zero, zero + 1)
    # A spread that is no larger than the rounding errors of the values counts as none.
    rounding = 10 * torch.finfo(torch.float64).eps * summary.mean.abs()
    spread = positive(summary.variance.sqrt(), rounding)
    if method == "standard":
        return AffineScaling(summary.mean, spread)
    if method == "common":
        varies = summary.variance.sqrt() > rounding
        together = summary.variance[varies].mean().sqrt() if bool(varies.any()) else torch.ones(())
        return AffineScaling(summary.mean, positive(zero + together, zero))
    if method == "minmax":
        return AffineScaling(summary.smallest, positive(summary.largest - summary.smallest, zero))
    span = largest - smallest
    start = smallest if smallest < 0 or smallest > span else 0.0
    return AffineScaling(zero + start, zero + (largest - start if largest > start else 1.0))


def positive(scale: Tensor, threshold: Tensor) -> Tensor:
    """Replace scales that are at most the threshold, or infinite, by 1."""
    return torch.where((scale > threshold) & (scale < math.inf), scale, 1.0)
