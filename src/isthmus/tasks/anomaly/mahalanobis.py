"""The method "mahalanobis": the distance from the more normal rows, which is a linear denoising autoencoder's error."""

from copy import deepcopy
from typing import Self

import torch
from torch import Tensor

from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.ridge_normal import RidgeNormal
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training


@detection_method("mahalanobis")
class Mahalanobis(CellScorer):
    """Scores rows by log dᵀPd for d = x - μ and P = (Σ + λI)⁻¹: the squared Mahalanobis distance with a ridge.

    The mean of the logarithms with λ = 0.1 and λ = 0.001 is taken: a large ridge counts what is common, a small one
    relations that hold nearly exactly.

    Under Gaussian noise of variance λ the best linear autoencoder is x̂ - μ = Σ(Σ + λI)⁻¹d, so that d minus its
    reconstruction is λPd, and dᵀPd weights that by d. (For what P says of single cells see EASE, Steck 2019.) In a
    contaminated setting μ and Σ are those of the nearest rows (`trimmed`).

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    coarse, fine
        Normal distributions with the large and with the small ridge, float64 where the device has it.
    """

    def __init__(self, cells: RobustCells, device: torch.device, coarse: RidgeNormal, fine: RidgeNormal) -> None:
        super().__init__(cells, device)
        self.coarse, self.fine = coarse, fine
        blocks = [
            torch.nonzero(cells.feature_group == column).flatten() for column in torch.unique(cells.feature_group)
        ]
        self.blocks = [block for block in blocks if len(block) > 1]

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Fit to all rows but wild ones; in a contaminated setting to the more normal ones."""
        dtype = torch.float32 if training.device.type == "mps" else torch.float64
        # Copies, since moving a module moves its buffers, and other methods read those of the training.
        coarse, fine = deepcopy(training.robust), deepcopy(training.finely_robust)
        scorer = cls(training.cells, training.device, coarse, fine)
        return scorer.to(training.device, dtype).eval()

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the mean of log dᵀPd with either ridge, (B,)."""
        return (self.coarse.log_distances(x) + self.fine.log_distances(x)) / 2

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return (Pd)ⱼ²/Pⱼⱼ, (B, C): squared deviations from what the other cells predict, over their variances."""
        return self.coarse.deviations(x)[1].square() / self.coarse.diagonal()

    def expected(self, x: Tensor) -> Tensor:
        """Return the expected value of each cell of x (B, C), given the cells of the other columns, (B, C)."""
        _, whitened = self.coarse.deviations(x)
        expected = x.to(whitened.dtype) - whitened / self.coarse.diagonal()
        for block in self.blocks:
            # The cells of one column predict each other, so they are predicted together from the other columns.
            offset = torch.linalg.solve(self.coarse.within(block), whitened[:, block].T).T
            expected[:, block] = x[:, block].to(whitened.dtype) - offset
        return expected

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        return cls(cells, device, *(RidgeNormal.from_weights(weights, f"{name}.") for name in ("coarse", "fine")))
