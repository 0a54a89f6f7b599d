"""The method "residual": the Mahalanobis distance of a bottleneck autoencoder's residual and code."""

from typing import Self

import torch
from torch import Tensor, nn

from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.autoencoders import TrainedAutoencoder, trained_on_cells
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.ridge_normal import RidgeNormal
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.state import Surroundings, own_copy
from isthmus.tasks.anomaly.training import Training
from isthmus.tasks.anomaly.trimming import RIDGE


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
    normal
        Of [residual, code / spread], (C + K) numbers.
    """

    def __init__(
        self,
        cells: RobustCells,
        device: torch.device,
        autoencoder: TrainedAutoencoder,
        spread: Tensor,
        normal: RidgeNormal,
    ) -> None:
        super().__init__(cells, device)
        self.autoencoder = autoencoder
        self.network = autoencoder.network.to(device)
        self._history = autoencoder.history
        self.spread, self.normal = nn.Buffer(spread), normal

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
        scorer = cls(training.cells, device, autoencoder, spread, RidgeNormal.of(seen, RIDGE).float())
        return scorer.to(device).eval()

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the log of the squared distance, (B,)."""
        residual, code = self.autoencoder.residual_and_code(x, self.device)
        return self.normal.log_distances(torch.cat([residual, code / self.spread], 1))

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared residual of each cell over its variance, with the ridge, (B, C)."""
        residual, _ = self.autoencoder.residual_and_code(x, self.device)
        width = x.shape[1]
        return (residual - self.normal.mean[:width]).square() * self.normal.diagonal()[:width]

    def state(self) -> State:
        """Return what it takes to rebuild the scorer."""
        own = {"spread": self.spread, **{f"normal.{name}": kept for name, kept in self.normal.state_dict().items()}}
        tensors = {name: own_copy(tensor) for name, tensor in own.items()}
        return nest({"cells": self.cells.state(), "autoencoder": self.autoencoder.state()}, None, tensors)

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        cells = RobustCells.from_state(*member("cells", facts, tensors), surroundings.columns)
        autoencoder = TrainedAutoencoder.from_state(*member("autoencoder", facts, tensors), surroundings)
        normal = RidgeNormal.from_weights(tensors, "normal.")
        scorer = cls(cells, surroundings.device, autoencoder, tensors["spread"], normal)
        scorer = scorer.to(surroundings.device).eval()
        scorer.refuse_broken()
        return scorer
