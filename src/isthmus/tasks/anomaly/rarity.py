"""The method "rarity": how rare a value is among those of its column, where values recur."""

from typing import Self

import torch
from torch import Tensor, nn

from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cell_ranks import CellRanks
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training

RECURS = 0.05
"""Chance of a value that was never seen, up to which the values of a column recur: codes, levels and small counts."""
PRIOR = 0.5
"""Rows that are added to the count of every value, so that no value is impossible (Krichevsky and Trofimov 1981)."""


@detection_method("rarity")
class Rarity(CellScorer):
    """Scores rows by -Σⱼ log of the share of training rows with the very same value, over columns whose values recur.

    A code between two common ones is as odd as one far off, which neither a distance nor a histogram of equal bins can
    see. Where no column's values recur all rows score alike.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    ranks
        Of the training rows.
    recurs
        (C,) whether the values of a cell recur.
    """

    def __init__(self, cells: RobustCells, device: torch.device, ranks: CellRanks, recurs: Tensor) -> None:
        super().__init__(cells, device)
        self.ranks, self.recurs = ranks, nn.Buffer(recurs)

    @property
    def stored_rows(self) -> int:
        """How many training rows it holds the values of, column by column."""
        return self.ranks.rows

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Count the values of the rows that are not suspected."""
        ranks = CellRanks.of(training.x[training.kept])
        recurs = ranks.new_value_chances() <= RECURS
        return cls(training.cells, training.device, ranks, recurs).to(training.device).eval()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return -log of the share of training rows with the value, (B, C); 0 where values do not recur."""
        below, up_to = self.ranks.counts(x)
        share = (up_to - below + PRIOR) / (self.ranks.rows + PRIOR)
        return torch.where(self.recurs, -share.log(), 0.0)

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the sum over the cells, (B,)."""
        return self.cell_errors(x).sum(1)

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        return cls(cells, device, CellRanks(weights["ranks.ascending"]), weights["recurs"])
