"""The method "histogram": how rare each value is by itself (HBOS)."""

from typing import Self

import torch
from torch import Tensor

from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cell_histograms import CellHistograms
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training


@detection_method("histogram")
class HistogramScorer(CellScorer):
    """Scores rows by -Σⱼ log pⱼ(xⱼ), each pⱼ a histogram: columns as if independent (HBOS, Goldstein and Dengel 2012).

    It sees no relation between columns, and is harder to lead astray by anomalies among the training rows.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    histograms
        Of the training rows.
    """

    def __init__(self, cells: RobustCells, device: torch.device, histograms: CellHistograms) -> None:
        super().__init__(cells, device)
        self.histograms = histograms

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Fit histograms to all rows."""
        return cls(training.cells, training.device, CellHistograms.of(training.x)).to(training.device)

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return -log pⱼ(xⱼ), less that of the cell's likeliest bin, (B, C)."""
        return self.histograms.surprisals(x)

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the sum over the cells, (B,)."""
        return self.cell_errors(x).sum(1)

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        names = ("least", "width", "surprisal")
        return cls(cells, device, CellHistograms(*(weights[f"histograms.{name}"] for name in names)))
