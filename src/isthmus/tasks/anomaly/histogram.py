"""`Marginals`: how rare each value is by itself, the autoencoder without a code."""

import torch
from torch import Tensor

from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.histograms import Histograms
from isthmus.tasks.anomaly.scorer import CellScorer, Training


class Marginals(CellScorer):
    """Scores rows by -Σ_j log p_j(x_j), each p_j a histogram: columns as if independent (HBOS, Goldstein 2012).

    It sees no relation between columns, and is the harder to lead astray by anomalies among the training rows.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    histograms
        Of the training rows.
    """

    def __init__(self, cells: RobustCells, device: torch.device, histograms: Histograms) -> None:
        super().__init__(cells, device)
        self.histograms = histograms

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return -log p_j(x_j), (B, C), less that of the cell's likeliest bin."""
        return self.histograms.surprises(x)

    def of_cells(self, x: Tensor) -> Tensor:
        """Return the sum over the cells, (B,)."""
        return self.cell_errors(x).sum(1)


def marginals(training: Training) -> Marginals:
    """Fit histograms to all rows."""
    return Marginals(training.cells, training.device, Histograms(training.x)).to(training.device)
