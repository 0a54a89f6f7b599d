"""The method "mahalanobis": the distance from the more normal rows, which is a linear denoising autoencoder's error."""

from typing import Self

import torch
from torch import Tensor, nn

from isthmus.core.modules import affine
from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training
from isthmus.tasks.anomaly.trimming import FINE_RIDGE


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
    mean, precision
        (C,) μ and (C, C) P with the large ridge, float64 where the device has it.
    fine_mean, fine_precision
        The same with the small one.
    """

    def __init__(
        self,
        cells: RobustCells,
        device: torch.device,
        mean: Tensor,
        precision: Tensor,
        fine_mean: Tensor,
        fine_precision: Tensor,
    ) -> None:
        super().__init__(cells, device)
        self.mean, self.precision = nn.Buffer(mean), nn.Buffer(precision)
        self.fine_mean, self.fine_precision = nn.Buffer(fine_mean), nn.Buffer(fine_precision)
        blocks = [
            torch.nonzero(cells.feature_group == column).flatten() for column in torch.unique(cells.feature_group)
        ]
        self.blocks = [block for block in blocks if len(block) > 1]

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Fit mean and precision matrix to all rows; in a contaminated setting to the more normal ones."""
        dtype = torch.float32 if training.device.type == "mps" else torch.float64
        fitted = [tensor.to(dtype) for tensor in (*training.robust, *training.trimmed(FINE_RIDGE))]
        return cls(training.cells, training.device, *fitted).to(training.device).eval()

    def deviations(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return d and dP of cells x (B, C), (B, C) each."""
        centred = x.to(self.mean.dtype) - self.mean
        return centred, affine(centred, self.precision, None, self.training)

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the mean of log dᵀPd with either ridge, (B,)."""
        centred, whitened = self.deviations(x)
        fine = x.to(self.fine_mean.dtype) - self.fine_mean
        near = affine(fine, self.fine_precision, None, self.training)
        return (log_distance(centred, whitened) + log_distance(fine, near)) / 2

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return (Pd)ⱼ²/Pⱼⱼ, (B, C): squared deviations from what the other cells predict, over their variances."""
        return self.deviations(x)[1].square() / self.precision.diagonal()

    def expected(self, x: Tensor) -> Tensor:
        """Return the expected value of each cell of x (B, C), given the cells of the other columns, (B, C)."""
        _, whitened = self.deviations(x)
        expected = x.to(whitened.dtype) - whitened / self.precision.diagonal()
        for block in self.blocks:
            # The cells of one column predict each other, so they are predicted together from the other columns.
            within = self.precision[block][:, block]
            offset = torch.linalg.solve(within, whitened[:, block].T).T
            expected[:, block] = x[:, block].to(whitened.dtype) - offset
        return expected

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        names = ("mean", "precision", "fine_mean", "fine_precision")
        return cls(cells, device, *(weights[name] for name in names))


def log_distance(centred: Tensor, whitened: Tensor) -> Tensor:
    """Return log dᵀPd from d and dP, (B, C) each, (B,)."""
    return (centred * whitened).sum(1).clamp_min(1e-12).log()
