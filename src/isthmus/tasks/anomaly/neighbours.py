"""The method "neighbours": the distance to the nearest training rows."""

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.core.modules import affine
from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training

NEAREST = 5
"""Number of neighbours."""
MOST = 10_000
"""Greatest number of training rows that are kept for comparison."""
FLOOR = 0.01
"""Root-mean-square distance per cell below which all distances count alike."""


@detection_method("neighbours")
class Neighbours(CellScorer):
    """Scores rows by the logarithm of their mean distance to the `NEAREST` training rows (Ramaswamy et al. 2000).

    A row is not its own neighbour: one training row at exactly the same place is passed over, so that training rows
    are scored as new ones are.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    rows
        (m, C) training rows as cells.
    """

    def __init__(self, cells: RobustCells, device: torch.device, rows: Tensor) -> None:
        super().__init__(cells, device)
        self.rows, self.squares = nn.Buffer(rows), nn.Buffer(rows.square().sum(1))
        self.count = min(NEAREST, len(rows) - 1)

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Keep the rows to compare with; a random sample if there are many."""
        rows = training.x[training.kept]
        if len(rows) > MOST:
            chosen = np.random.default_rng(training.seed).permutation(len(rows))[:MOST]
            rows = rows[torch.from_numpy(np.sort(chosen))]
        return cls(training.cells, training.device, rows).to(training.device).eval()

    def nearest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return distances and indices of the nearest training rows, (B, count) each, of cells x (B, C)."""
        own = x.square().sum(1, keepdim=True)
        squared = own + self.squares - 2 * affine(x, self.rows, None, self.training)
        near = squared.topk(self.count + 1, dim=1, largest=False)
        same = near.values[:, :1] <= 1e-5 * own + 1e-6
        distances = torch.where(same, near.values[:, 1:], near.values[:, :-1]).clamp_min(0).sqrt()
        return distances, torch.where(same, near.indices[:, 1:], near.indices[:, :-1])

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the logarithm of the mean distance, (B,)."""
        return (self.nearest(x)[0].mean(1) / x.shape[1] ** 0.5 + FLOOR).log()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared difference from the mean of the nearest rows, (B, C)."""
        return (x - self.rows[self.nearest(x)[1]].mean(1)).square()

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        return cls(cells, device, weights["rows"])
