"""The objective "error": how well rows are reconstructed from codes of a given size."""

from functools import cached_property

import numpy as np
from sklearn.base import BaseEstimator
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.reading import read_table
from isthmus.data.scaling import AffineScaling
from isthmus.engine.callbacks import TrainingRun
from isthmus.estimators import AutoEncoder
from isthmus.tasks.tuning.autoencoder_objective import CALLER, MOST_WATCHED, AutoEncoderObjective, fitted_model
from isthmus.tasks.tuning.objective import objective
from isthmus.tasks.tuning.splitting import Part

BLOCK = 512
"""Rows that are reconstructed at a time."""
LEAST_MEAN = 1e-6
"""The least expected count, in parts of its column's mean: a deviance stays finite."""


@objective("error")
class ReconstructionError(AutoEncoderObjective):
    """The error of reconstructions of held-out rows, in parts of the error without any code.

    0 is perfect, and 1 is as good as the means of the training rows' columns. It does not depend on a trial's
    likelihood, scaling or penalties, so that all can be searched. Numbers: the squared error, in each column over its
    variance; if all columns are of one unit (pixels), over their mean variance. Counts: half the Poisson deviance. A
    table of several kinds of columns: the mean deviance ratio of its columns, as `AutoEncoder.reconstruction_error`.

    More numbers always reconstruct better: the size of the code is that of the model as given, unless it is searched.
    """

    measure = "reconstruction error (1: as the mean)"

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Suit autoencoders without labels."""
        return isinstance(model, AutoEncoder) and not labels

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return the error of each row."""
        assert isinstance(fitted, AutoEncoder), "objectives refuse other models"
        if fitted_model(fitted).schema.columns is not None:
            return fitted.reconstruction_error(self.data.rows(rows))
        found = [self.block_losses(fitted, rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
        return np.concatenate(found)

    def block_losses(self, fitted: AutoEncoder, rows: np.ndarray) -> np.ndarray:
        """Return the error of each of a few rows of numbers."""
        given = self.data.rows(rows)
        rebuilt = np.asarray(fitted.reconstruct(given), dtype=np.float64).reshape(len(rows), -1)
        return self.cell_errors(self.numbers(rows), rebuilt).sum(1)

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as numbers (m, R)."""
        table = read_table(self.data.rows(rows), self.look.schema, caller=CALLER)
        return table[:].double().numpy()

    def cell_errors(self, truth: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
        """Return the error of every cell (m, R), so that the mean row has a sum of 1 on average."""
        mean, unit = self.means_and_units
        return deviances(truth, rebuilt, mean) / unit if self.counts else (truth - rebuilt) ** 2 / unit

    @cached_property
    def means_and_units(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean of each column in the training rows, (R,), and what the errors of its cells are divided by, (R,)."""
        positions = self.data.split.parts[0].training
        summary = read_table(self.data.rows(positions), self.look.schema, caller=CALLER).summary()
        mean, variance = summary.mean.numpy(), summary.variance.numpy()
        if self.counts:
            some = positions[np.linspace(0, len(positions) - 1, min(len(positions), BLOCK)).astype(np.int64)]
            numbers = self.numbers(some)
            return mean, np.full(
                len(mean), deviances(numbers, np.broadcast_to(mean, numbers.shape), mean).sum(1).mean()
            )
        scaling = self.look.scaling
        if isinstance(scaling, AffineScaling) and scaling.common is not None:
            return mean, np.full(len(mean), variance.sum() or 1.0)
        there = variance > 0
        return mean, np.where(there, variance, 1.0) * max(int(there.sum()), 1)

    # -- networks in training -----------------------------------------------------------------------------------------

    def loss_in_training(self, network: Network, run: TrainingRun, part: Part) -> float | None:
        """Return the mean error on some held-out rows."""
        rows = part.held_out[:MOST_WATCHED]
        x = self.scaled(run, rows)
        if self.look.schema.columns is not None:
            ratios = network.likelihood.deviance_ratios(x, network(x).theta)
            return None if ratios is None else float(ratios.mean())
        rebuilt: Tensor = self.scaling_of(run).inverse(network.reconstruct(x).cpu())
        return float(self.cell_errors(self.numbers(rows), rebuilt.double().numpy()).sum(1).mean())


def deviances(counts: np.ndarray, expected: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return half the Poisson deviance of every cell, (m, R); `mean` (R,) are the columns' means."""
    expected = np.maximum(expected, LEAST_MEAN * np.maximum(mean, LEAST_MEAN))
    ratio = np.where(counts > 0, counts, 1.0) / expected
    found: np.ndarray = np.where(counts > 0, counts * np.log(ratio), 0.0) - counts + expected
    return found
