"""The method "likelihood": an autoencoder's own log-likelihood, for tables of several kinds and sparse rows too."""

from typing import Self

import numpy as np

from isthmus.core.checked_tensors import checked
from isthmus.data.table import Numbers
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.autoencoders import TrainedAutoencoder, trained_on_numbers
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.training import Training

TYPICAL_ROWS = 1000
"""Training rows that tell the typical loss of each column."""


@detection_method("likelihood", sparse=True, uses_estimator=True)
class Likelihood:
    """Scores rows by -log p(x|z) under a trained autoencoder.

    Parameters
    ----------
    autoencoder
        Trained, with any setting of `AutoEncoder`.
    typical
        (columns,) the median of each column's -log p over training rows. A column's typical loss says nothing about a
        row: a wide column costs more in every row.
    """

    cells = None
    stored_rows = 0

    def __init__(self, autoencoder: TrainedAutoencoder, typical: np.ndarray) -> None:
        self.autoencoder, self.typical = autoencoder, typical

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train on the rows that are not suspected to be anomalies; a fitted autoencoder stays as it is."""
        kept = training.numbers[np.flatnonzero(training.kept.numpy())]
        autoencoder = trained_on_numbers(training, kept)
        return cls(autoencoder, np.median(-autoencoder.column_log_likelihood(kept[:TYPICAL_ROWS]), axis=0))

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return -log p(x|z), (n,)."""
        return -self.autoencoder.log_likelihood(numbers)

    def errors(self, numbers: Numbers) -> np.ndarray:
        """Return by how much each column's -log p exceeds its typical one, (n, columns)."""
        return np.maximum(-self.autoencoder.column_log_likelihood(numbers) - self.typical, 0)

    def state(self) -> State:
        """Return what it takes to rebuild the scorer."""
        return nest({"autoencoder": self.autoencoder.state()}, None, {"typical": as_tensor(self.typical)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        autoencoder = TrainedAutoencoder.from_state(*member("autoencoder", facts, tensors), surroundings)
        columns = autoencoder.model.schema.n_features
        return cls(autoencoder, checked(tensors, "typical", (columns,)).numpy())
