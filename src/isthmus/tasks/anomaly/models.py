"""Methods that are autoencoders of this library: by their own likelihood, or by the distance of residual and code."""

from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor

from isthmus.core.modules import affine
from isthmus.estimators import AutoEncoder
from isthmus.estimators.streams import Checked
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.scorer import CellScorer, Training
from isthmus.tasks.anomaly.trimming import gaussian

FEW = 10
"""Columns of which a code has half as many numbers."""
LEARNED = ("n_features_in_", "feature_names_in_", "columns_", "_schema")
"""What an estimator knows of a table's columns."""


class Likelihood:
    """Scores rows by -log p(x|z) under a fitted autoencoder.

    Parameters
    ----------
    estimator
        Fitted; any setting of `AutoEncoder`.
    numbers
        (n, R) training rows.
    """

    def __init__(self, estimator: AutoEncoder, numbers: Any) -> None:
        self.estimator = estimator
        # A column's typical loss says nothing about a row: a wide one costs more in every row.
        self.typical = np.median(-estimator.score_columns(Checked(numbers[:1000])), axis=0)

    def score(self, numbers: Any) -> np.ndarray:
        """Return -log p(x|z), (n,)."""
        return -np.asarray(self.estimator.score_samples(Checked(numbers)), dtype=np.float64)

    def errors(self, numbers: Any) -> np.ndarray:
        """Return by how much each column's -log p is above its typical one, (n, columns)."""
        return np.maximum(-self.estimator.score_columns(Checked(numbers)) - self.typical, 0)


class CodeDistance(CellScorer):
    """Scores rows by the Mahalanobis distance of [residual, code] of a bottleneck autoencoder, with a ridge.

    The code tells rows that lie far out in a direction that the autoencoder rebuilds well, which an error cannot see.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    estimator
        Trained on cells.
    x
        Training rows as cells, (n, C), not suspected.
    """

    mean: Tensor
    precision: Tensor
    spread: Tensor

    def __init__(self, cells: RobustCells, device: torch.device, estimator: AutoEncoder, x: Tensor) -> None:
        super().__init__(cells, device)
        self.estimator = estimator
        self.network = estimator.network_.to(device)
        self.scaling = estimator.scaling_
        seen = torch.cat([torch.cat(self.parts(block.to(device)), 1).cpu() for block in x.split(256)]).double()
        self.register_buffer("spread", seen[:, x.shape[1] :].std(0, correction=0).clamp_min(1e-6).float())
        seen[:, x.shape[1] :] /= self.spread
        mean, precision = gaussian(seen)
        self.register_buffer("mean", mean.float())
        self.register_buffer("precision", precision.float())

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return residual (B, C) and code (B, K) of cells x (B, C)."""
        with torch.no_grad():
            seen = self.scaling(x.cpu(), next(self.network.parameters()).dtype).to(self.device)
            code = self.network.encode(seen).mean
            rebuilt = self.scaling.inverse(self.network.decode(code).cpu()).to(x)
        return x - rebuilt, code.to(x)

    def of_cells(self, x: Tensor) -> Tensor:
        """Return the log of the squared distance, (B,)."""
        residual, code = self.parts(x)
        centred = torch.cat([residual, code / self.spread], 1) - self.mean
        distance = (centred * affine(centred, self.precision, None, self.training)).sum(1)
        return distance.clamp_min(1e-12).log()

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the squared residual of each cell over its variance, with the ridge, (B, C)."""
        residual, _ = self.parts(x)
        width = x.shape[1]
        return (residual - self.mean[:width]).square() * self.precision.diagonal()[:width]


def likelihood(training: Training) -> Likelihood:
    """Train an autoencoder, or the one that was given, on rows that are not suspected; a fitted one stays as it is."""
    kept = training.numbers[np.flatnonzero(training.kept.numpy())]
    if hasattr(training.estimator, "network_"):
        return Likelihood(training.estimator, kept)
    estimator = new_estimator(training)
    for name in LEARNED:
        if hasattr(training.reader, name):
            setattr(estimator, name, getattr(training.reader, name))
    return Likelihood(estimator.fit(Checked(kept)), kept)


def code_distance(training: Training) -> CodeDistance:
    """Train an autoencoder, or the one that was given, on cells that are not suspected."""
    kept = training.x[training.kept]
    estimator = new_estimator(training).fit(kept.numpy())
    return CodeDistance(training.cells, training.device, estimator, kept).to(training.device).eval()


def new_estimator(training: Training) -> Any:
    """Return what is to be trained, with the seed of the training."""
    if training.estimator is None:
        return AutoEncoder(latent(training), compute=str(training.device), random_state=training.seed)
    estimator = clone(training.estimator)
    if estimator.random_state is None:
        estimator.set_params(random_state=training.seed)
    return estimator


def latent(training: Training) -> int | float:
    """Return the size of a code: enough for 90 % of the variance, and of few columns half, as all would copy rows."""
    columns = training.numbers.shape[1]
    return max(1, columns // 2) if columns <= FEW else 0.9
