"""The method "residual": the Mahalanobis distance of a bottleneck autoencoder's residual and code."""

from typing import Self

import torch
from torch import Tensor, nn

from isthmus.core.modules import affine
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.autoencoders import TrainedAutoencoder, trained_on_cells
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.state import Surroundings, own_copy
from isthmus.tasks.anomaly.training import Training
from isthmus.tasks.anomaly.trimming import gaussian


@detection_method("residual", uses_estimator=True)
class ResidualCode(CellScorer):
    """Scores rows by the Mahalanobis distance of [residual, code] of a bottleneck autoencoder, with a ridge.

    The code reveals rows that lie far out in a direction that the autoencoder reconstructs well, which the
    reconstruction error cannot see.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    autoencoder
        Trained on cells.
    spread
        (K,) the standard deviation of each number of the code.
    mean, precision
        (C + K,) and (C + K, C + K) mean and precision matrix of [residual, code / spread].
    """

    def __init__(
        self,
        cells: RobustCells,
        device: torch.device,
        autoencoder: TrainedAutoencoder,
        spread: Tensor,
        mean: Tensor,
        precision: Tensor,
    ) -> None:
        super().__init__(cells, device)
        self.autoencoder = autoencoder
        self.network = autoencoder.network.to(device)
        self.spread, self.mean, self.precision = nn.Buffer(spread), nn.Buffer(mean), nn.Buffer(precision)

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train an autoencoder on the rows that are not suspected, then fit their residuals and codes."""
        x, device = training.x[training.kept], training.device
        autoencoder = trained_on_cells(training, x)
        autoencoder.network.to(device)
        pairs = [autoencoder.residual_and_code(block.to(device), device) for block in x.split(256)]
        seen = torch.cat([torch.cat(pair, 1).cpu() for pair in pairs]).double()
        spread = seen[:, x.shape[1] :].std(0, correction=0).clamp_min(1e-6).float()
        seen[:, x.shape[1] :] /= spread
        mean, precision = gaussian(seen)
        scorer = cls(training.cells, device, autoencoder, spread, mean.float(), precision.float())
        return scorer.to(device).eval()

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the log of the squared distance, (B,)."""
        residual, code = self.autoencoder.residual_and_code(x, self.device)
        centred = torch.cat([residual, code / self.spread], 1) - self.mean
        distance = (centred * affine(centred, self.precision, None, self.training)).sum(1)
        return distance.clamp_min(1e-12).log()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared residual of each cell over its variance, with the ridge, (B, C)."""
        residual, _ = self.autoencoder.residual_and_code(x, self.device)
        width = x.shape[1]
        return (residual - self.mean[:width]).square() * self.precision.diagonal()[:width]

    def state(self) -> State:
        """Return what it takes to rebuild the scorer."""
        own = {"spread": self.spread, "mean": self.mean, "precision": self.precision}
        tensors = {name: own_copy(tensor) for name, tensor in own.items()}
        return nest({"cells": self.cells.state(), "autoencoder": self.autoencoder.state()}, None, tensors)

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        cells = RobustCells.from_state(*member("cells", facts, tensors), surroundings.columns)
        autoencoder = TrainedAutoencoder.from_state(*member("autoencoder", facts, tensors), surroundings)
        own = (tensors[name] for name in ("spread", "mean", "precision"))
        return cls(cells, surroundings.device, autoencoder, *own).to(surroundings.device).eval()
