"""`RobustLinear`: the linear denoising autoencoder in closed form, fitted to the more normal part of the rows."""

import torch
from torch import Tensor

from isthmus.core.modules import affine
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.scorer import CellScorer, Training


class RobustLinear(CellScorer):
    """Scores rows by log dᵀPd for d = x - μ and P = (Σ + λI)⁻¹: the squared Mahalanobis distance with a ridge.

    A linear autoencoder under Gaussian noise of variance λ is best at x̂ - μ = Σ(Σ + λI)⁻¹d, so that d less what it
    rebuilds is λPd; dᵀPd weighs that by d (reference: EASE, Steck 2019, for what P says of single cells). In a
    contaminated setting μ and Σ are those of the nearest rows (`trimmed`).

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    mean, precision
        (C,) μ and (C, C) P, float64.
    """

    mean: Tensor
    precision: Tensor

    def __init__(self, cells: RobustCells, device: torch.device, mean: Tensor, precision: Tensor) -> None:
        super().__init__(cells, device)
        self.register_buffer("mean", mean)
        self.register_buffer("precision", precision)
        blocks = [
            torch.nonzero(cells.feature_group == column).flatten() for column in torch.unique(cells.feature_group)
        ]
        self.blocks = [block for block in blocks if len(block) > 1]

    def pulls(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return d and dP of cells x (B, C), float64 where the device has it."""
        centred = x.to(self.mean.dtype) - self.mean
        return centred, affine(centred, self.precision, None, self.training)

    def of_cells(self, x: Tensor) -> Tensor:
        """Return log dᵀPd of each row, (B,)."""
        centred, pull = self.pulls(x)
        return (centred * pull).sum(1).clamp_min(1e-12).log()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return (Pd)_j² / P_jj, (B, C): the square of how many standard deviations a cell is from what others say."""
        return self.pulls(x)[1].square() / self.precision.diagonal()

    def expected(self, x: Tensor) -> Tensor:
        """Return what is expected of each cell x (B, C), given the cells of the other columns."""
        _, pull = self.pulls(x)
        found = x.to(pull.dtype) - pull / self.precision.diagonal()
        for block in self.blocks:
            # The cells of one column tell each other: what they are expected to be is for all of them together.
            within = self.precision[block][:, block]
            found[:, block] = x[:, block].to(pull.dtype) - torch.linalg.solve(within, pull[:, block].T).T
        return found


def robust_linear(training: Training) -> RobustLinear:
    """Fit by the rows that are kept, and in a contaminated setting in rounds of trimming."""
    mean, precision = training.robust
    wide = torch.float32 if training.device.type == "mps" else torch.float64
    return RobustLinear(training.cells, training.device, mean.to(wide), precision.to(wide)).to(training.device).eval()
