"""`CellHistograms`: a density model with one histogram per cell, as if cells were independent."""

from typing import Self

import torch
from torch import Tensor, nn

BINS = 10
"""Bins of equal width between the least and greatest value of a cell."""
SMOOTHING = 0.1
"""Share that is added to all bins together, so that none is empty."""


class CellHistograms(nn.Module):
    """One histogram per cell, with an extra bin at each end for values beyond those seen.

    Parameters
    ----------
    least, width
        (C,) the left edge of each cell's first bin, and the width of its bins.
    surprisal
        (C, BINS + 2) minus the log share of each bin.
    """

    def __init__(self, least: Tensor, width: Tensor, surprisal: Tensor) -> None:
        super().__init__()
        self.least, self.width, self.surprisal = nn.Buffer(least), nn.Buffer(width), nn.Buffer(surprisal)

    @classmethod
    def of(cls, x: Tensor) -> Self:
        """Return the histograms of rows of cells x (n, C)."""
        least, greatest = x.amin(0), x.amax(0)
        width = torch.where(greatest > least, greatest - least, 1.0) / BINS
        bins = bins_of(x, least, width).T
        shares = torch.zeros(x.shape[1], BINS + 2, device=x.device)
        shares.scatter_add_(1, bins, torch.full(bins.shape, 1 / len(x), device=x.device))
        return cls(least, width, -(shares + SMOOTHING / BINS).log())

    def surprisals(self, x: Tensor) -> Tensor:
        """Return minus the log share of each cell's bin, less that of the cell's likeliest bin, for cells x (B, C)."""
        return self.surprisal.T.gather(0, bins_of(x, self.least, self.width)) - self.surprisal.amin(1)


def bins_of(x: Tensor, least: Tensor, width: Tensor) -> Tensor:
    """Return the bin of each cell x (B, C): 0 below the values seen, BINS + 1 above them."""
    steps = (x - least) / width
    inside = steps.floor().clamp(0, BINS - 1)
    beyond = torch.where(steps < -1e-3, -1.0, torch.where(steps > BINS + 1e-3, float(BINS), inside))
    return beyond.long() + 1
