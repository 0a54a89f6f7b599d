"""The method "ranks": the distance to the nearest training rows where each column is replaced by its ranks."""

from typing import Self

import torch
from torch import Tensor

from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cell_ranks import CellRanks
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.neighbours import Neighbours, compared
from isthmus.tasks.anomaly.training import Training


@detection_method("ranks")
class RankNeighbours(Neighbours):
    """Scores rows as "neighbours" does, among normal scores of ranks instead of standardised values.

    Ranks do not depend on how a column is measured: codes, counts, amounts and logarithms of amounts count alike, and a
    gap between common values counts little beside one at the rim. (Normal scores: van der Waerden 1952.)

    Parameters
    ----------
    cells, device, rows
        As in `Neighbours`; the rows as normal scores.
    ranks
        Of the training rows.
    """

    def __init__(self, cells: RobustCells, device: torch.device, rows: Tensor, ranks: CellRanks) -> None:
        super().__init__(cells, device, rows)
        self.ranks = ranks

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Keep the rows to compare with as normal scores; a random sample if there are many."""
        rows = training.x[training.kept]
        ranks = CellRanks.of(rows)
        normal = ranks.normal_scores(compared(rows, training.seed))
        return cls(training.cells, training.device, normal, ranks).to(training.device).eval()

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the mean logarithm of the distances, (B,)."""
        return super().score_cells(self.ranks.normal_scores(x))

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared difference of normal scores from the mean of the nearest rows', (B, C)."""
        return super().cell_errors(self.ranks.normal_scores(x))

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        return cls(cells, device, weights["rows"], CellRanks(weights["ranks.ascending"]))
