"""The method "neighbours": the distance to the nearest training rows."""

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from isthmus.core.modules import ALIGNMENT, affine
from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training

NEAREST = 5
"""Number of neighbours."""
MOST = 10_000
"""Greatest number of training rows that are kept for comparison."""
GROUP = 16
"""Training rows whose least distance is looked at first."""
FLOOR = 0.01
"""Root-mean-square distance per cell below which all distances count alike."""


def compared(rows: Tensor, seed: int) -> Tensor:
    """Return the rows (m, C) to compare with: all, or a random sample of `MOST`."""
    if len(rows) <= MOST:
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:MOST]
    return rows[torch.from_numpy(np.sort(chosen))]


def smallest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the smallest of each row of values (B, m), ascending, and their places, (B, count) each.

    m is a multiple of `GROUP`. The `count` smallest values are in the `count` groups with the smallest minima, which
    are found several times as fast as the values among all others.
    """
    groups = values.shape[1] // GROUP
    if groups < 4 * count:
        found = values.topk(count, dim=1, largest=False)
        return found.values, found.indices
    grouped = values.view(len(values), GROUP, groups)
    best = grouped.amin(1).topk(count, dim=1, largest=False).indices[:, None].expand(-1, GROUP, -1)
    found = grouped.gather(2, best).flatten(1).topk(count, dim=1, largest=False)
    places = torch.arange(GROUP, device=values.device)[:, None] * groups + best
    return found.values, places.flatten(1).gather(1, found.indices)


@detection_method("neighbours")
class Neighbours(CellScorer):
    """Scores rows by the mean logarithm of their distances to the `NEAREST` training rows (Ramaswamy et al. 2000).

    The mean of logarithms counts the very nearest row as much as the others, though its distance is the smallest.
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
        self.rows = nn.Buffer(rows)
        self.count = min(NEAREST, len(rows) - 1)
        # Rows of zeros that are infinitely far complete the last group; columns of zeros are what `affine` asks for.
        spare = -len(rows) % GROUP
        self.doubled = nn.Buffer(pad(-2 * rows, (0, -rows.shape[1] % ALIGNMENT, 0, spare)), persistent=False)
        self.squares = nn.Buffer(pad(rows.square().sum(1), (0, spare), value=torch.inf), persistent=False)

    @property
    def stored_rows(self) -> int:
        """How many training rows are compared with."""
        return len(self.rows)

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Keep the rows to compare with; a random sample if there are many."""
        rows = compared(training.x[training.kept], training.seed)
        return cls(training.cells, training.device, rows).to(training.device).eval()

    def nearest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return distances and indices of the nearest training rows, (B, count) each, of cells x (B, C)."""
        own = x.square().sum(1, keepdim=True)
        aligned = pad(x, (0, self.doubled.shape[1] - x.shape[1]))
        values, indices = smallest(affine(aligned, self.doubled, self.squares, self.training), self.count + 1)
        values = values + own
        same = values[:, :1] <= 1e-5 * own + 1e-6
        distances = torch.where(same, values[:, 1:], values[:, :-1]).clamp_min(0).sqrt()
        return distances, torch.where(same, indices[:, 1:], indices[:, :-1])

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the mean logarithm of the distances, (B,)."""
        return (self.nearest(x)[0] / x.shape[1] ** 0.5 + FLOOR).log().mean(1)

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared difference from the mean of the nearest rows, (B, C)."""
        return (x - self.rows[self.nearest(x)[1]].mean(1)).square()

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        return cls(cells, device, weights["rows"])
