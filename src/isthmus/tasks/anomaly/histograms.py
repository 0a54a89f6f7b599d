"""`Histograms`: how rare the value of each cell is."""

import torch
from torch import Tensor, nn

BINS = 10
"""Of equal width between a cell's least and greatest value."""
SMOOTHING = 0.1
"""What is added to the share of all bins together."""


class Histograms(nn.Module):
    """One histogram a cell, with a bin more at each side for what is beyond the values seen.

    Parameters
    ----------
    x
        Rows of cells, (n, C).
    """

    least: Tensor
    width: Tensor
    surprise: Tensor

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        least, greatest = x.amin(0), x.amax(0)
        self.register_buffer("least", least)
        self.register_buffer("width", torch.where(greatest > least, greatest - least, 1.0) / BINS)
        place = self.places(x).T
        shares = torch.zeros(x.shape[1], BINS + 2, device=x.device)
        shares.scatter_add_(1, place, torch.full(place.shape, 1 / len(x), device=x.device))
        self.register_buffer("surprise", -(shares + SMOOTHING / BINS).log())

    def places(self, x: Tensor) -> Tensor:
        """Return the bin of each cell x (B, C), 0 and BINS + 1 beyond what was seen."""
        steps = (x - self.least) / self.width
        inside = steps.floor().clamp(0, BINS - 1)
        beyond = torch.where(steps < -1e-3, -1.0, torch.where(steps > BINS + 1e-3, float(BINS), inside))
        return beyond.long() + 1

    def surprises(self, x: Tensor) -> Tensor:
        """Return minus the log share of each cell's bin, less that of the cell's likeliest, (B, C)."""
        return self.surprise.T.gather(0, self.places(x)) - self.surprise.amin(1)
