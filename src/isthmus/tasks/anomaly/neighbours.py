"""`Neighbours`: how far the nearest training rows are."""

import numpy as np
import torch
from torch import Tensor

from isthmus.core.modules import affine
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.scorer import CellScorer, Training

NEAREST = 5
MOST = 10_000
"""Training rows at most that are kept to be compared with."""
FLOOR = 0.01
"""Distance, root mean square over the cells, below which distances are all the same."""


class Neighbours(CellScorer):
    """Scores rows by the logarithm of their mean distance to the `NEAREST` training rows (Ramaswamy et al. 2000).

    A row is not its own neighbour: one training row at the very same place is passed over, so that training rows are
    scored as new ones are.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    rows
        Training rows as cells, (m, C).
    """

    rows: Tensor
    squares: Tensor

    def __init__(self, cells: RobustCells, device: torch.device, rows: Tensor) -> None:
        super().__init__(cells, device)
        self.register_buffer("rows", rows)
        self.register_buffer("squares", rows.square().sum(1))
        self.nearest = min(NEAREST, len(rows) - 1)

    def found(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return distances and places of the nearest rows, (B, nearest) each, of cells x (B, C)."""
        own = x.square().sum(1, keepdim=True)
        squared = own + self.squares - 2 * affine(x, self.rows, None, self.training)
        near = squared.topk(self.nearest + 1, dim=1, largest=False)
        same = near.values[:, :1] <= 1e-5 * own + 1e-6
        distances = torch.where(same, near.values[:, 1:], near.values[:, :-1]).clamp_min(0).sqrt()
        return distances, torch.where(same, near.indices[:, 1:], near.indices[:, :-1])

    def of_cells(self, x: Tensor) -> Tensor:
        """Return the logarithm of the mean distance, (B,)."""
        return (self.found(x)[0].mean(1) / x.shape[1] ** 0.5 + FLOOR).log()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared difference to the mean of the nearest rows, (B, C)."""
        return (x - self.rows[self.found(x)[1]].mean(1)).square()


def neighbours(training: Training) -> Neighbours:
    """Keep rows to compare with, of many a random choice."""
    rows = training.x[training.kept]
    if len(rows) > MOST:
        chosen = np.random.default_rng(training.seed).permutation(len(rows))[:MOST]
        rows = rows[torch.from_numpy(np.sort(chosen))]
    return Neighbours(training.cells, training.device, rows).to(training.device).eval()
