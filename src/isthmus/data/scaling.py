"""Scaling: from the data's own units to the network's, and back."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from isthmus.core.choices import refuse_unknown

SCALES = ("auto", "standard", "minmax", "global", "none")

LEAST_PEAK = 0.1
"""Values between 0 and a smaller number than this are no grey levels or shares but a matter of units."""


class Summary(NamedTuple):
    """What is known of the columns before training, (F,) each in float64."""

    mean: Tensor
    variance: Tensor
    smallest: Tensor
    largest: Tensor
    whole: Tensor
    """Whether every value is a whole number."""

    @property
    def binary(self) -> bool:
        """Whether every value of every column is 0 or 1."""
        return bool(self.whole.all() and self.smallest.min() >= 0 and self.largest.max() <= 1)


class Scaling(nn.Module):
    """The affine map (x - shift) / scale of every column; saved with the model.

    Parameters
    ----------
    shift, scale
        (F,) float64; scale is positive.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        self.refresh()

    def refresh(self) -> None:
        """Take note of a map that is simple enough for a short cut; to be called after loading."""
        self.shifted = bool((self.shift != 0).any())
        common = self.scale[0].item() if len(self.scale) and bool((self.scale == self.scale[0]).all()) else None
        self.common: float | None = common

    def forward(self, raw: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Rows as they came, (B, F) of any number type, to the network's units in `dtype`; written to `out`, if given.

        `out` may be the memory of `raw`.
        """
        if not self.shifted and self.common is not None:
            x = raw.to(dtype) if out is None else copied(raw, out)
            return x if self.common == 1 else torch.mul(x, 1 / self.common, out=out)
        # Subtracting in the data's own precision keeps what a large offset would cost in a shorter one.
        wide = torch.float32 if raw.dtype in NARROW else torch.float64
        if out is None or out.dtype != wide:
            x = ((raw.to(wide) - self.shift.to(wide)) / self.scale.to(wide)).to(dtype)
            return x if out is None else out.copy_(x)
        return copied(raw, out).sub_(self.shift.to(wide)).div_(self.scale.to(wide))

    def inverse(self, x: Tensor) -> Tensor:
        """Rows (B, F) in the network's units to the data's, in float64."""
        return x.double() * self.scale + self.shift

    @property
    def cells(self) -> int:
        """How many numbers a row the network sees."""
        return len(self.scale)

    @property
    def numbers(self) -> int:
        """How many numbers a row of the table has."""
        return len(self.scale)

    def log_slopes(self, x: Tensor) -> Tensor:
        """Return log |dx/dv| of each cell x (B, F) over the value v in the data's units."""
        return -self.scale.log().expand(len(x), -1)

    def log_volume(self) -> float:
        """Σ log scale: what a log-density in the network's units has to lose to be one in the data's."""
        return float(self.scale.log().sum())


def copied(source: Tensor, to: Tensor) -> Tensor:
    """Copy a tensor to other memory, if it is other memory."""
    return to if source is to else to.copy_(source)


NARROW = (torch.uint8, torch.int8, torch.int16, torch.bool, torch.float16, torch.bfloat16, torch.float32)
"""Number types whose values float32 holds exactly."""


def scaling(method: str | None, summary: Summary, dtype: torch.dtype) -> tuple[Scaling, str]:
    """Return the scaling of that name for columns so summarised, and the name of the one that "auto" chose.

    - "none" (or None): as they are.
    - "standard": every column to mean 0 and standard deviation 1.
    - "minmax": every column to [0, 1].
    - "global": all columns by one shift and one scale to [0, 1], which keeps their sizes relative to one another.
    - "auto": none where every value is in [0, 1] and the greatest above 0.1; global for 8-bit unsigned integers
      (images); standard otherwise.

    A column that is constant is shifted, not scaled.
    """
    method = "none" if method is None else method
    refuse_unknown("scale", method, SCALES)
    smallest, largest = summary.smallest.min().item(), summary.largest.max().item()
    if method == "auto":
        whole_range = "global" if dtype == torch.uint8 else "standard"
        method = "none" if smallest >= 0 and LEAST_PEAK < largest <= 1 else whole_range
    zero = torch.zeros_like(summary.mean)
    if method == "none":
        return Scaling(zero, zero + 1), method
    if method == "standard":
        # A column whose spread is nothing but the rounding of its values is a constant one.
        rounding = 10 * torch.finfo(torch.float64).eps * summary.mean.abs()
        return Scaling(summary.mean, positive(summary.variance.sqrt(), rounding)), method
    if method == "minmax":
        return Scaling(summary.smallest, positive(summary.largest - summary.smallest, zero)), method
    span = largest - smallest
    start = smallest if smallest < 0 or smallest > span else 0.0
    return Scaling(zero + start, zero + (largest - start if largest > start else 1.0)), method


def positive(scale: Tensor, threshold: Tensor) -> Tensor:
    """Replace scales of at most the threshold by 1."""
    return torch.where((scale > threshold) & (scale < math.inf), scale, 1.0)
