"""The method "likelihood": an autoencoder's own log-likelihood, for tables of several kinds and sparse rows too."""

from typing import Self

import numpy as np

from isthmus.core.checked_tensors import checked
from isthmus.data.table import Numbers, is_sparse
from isthmus.engine.history import History
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.autoencoders import TrainedAutoencoder, trained_on_numbers
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.training import Training

TYPICAL_ROWS = 1000
"""Training rows that tell the typical loss of each column."""


@detection_method("likelihood", sparse=True, uses_estimator=True)
class Likelihood:
    """Scores rows by -log p(x|z) under a trained autoencoder; a missing cell counts as a mean one of its column.

    If it counted nothing, a row would be the more normal the less is known of it.

    Parameters
    ----------
    autoencoder
        Trained, with any setting of `AutoEncoder`.
    typical
        (columns,) the median of each column's -log p over training rows. A column's typical loss says nothing about a
        row: a wide column costs more in every row.
    mean
        (columns,) the mean of the same over the cells that are there; None for sparse rows, which have no gaps.
    """

    cells = None
    stored_rows = 0

    def __init__(self, autoencoder: TrainedAutoencoder, typical: np.ndarray, mean: np.ndarray | None = None) -> None:
        self.autoencoder, self.typical, self.mean = autoencoder, typical, mean

    @property
    def history(self) -> History:
        """The course of the autoencoder's training."""
        return self.autoencoder.history

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train on the rows that are not suspected to be anomalies; a fitted autoencoder stays as it is."""
        kept = training.numbers[np.flatnonzero(training.kept.numpy())]
        autoencoder = trained_on_numbers(training, kept)
        losses = -autoencoder.column_log_likelihood(kept[:TYPICAL_ROWS])
        mean = None if is_sparse(kept) else mean_where_seen(losses)
        return cls(autoencoder, np.median(losses, axis=0), mean)

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return -log p(x|z), (n,)."""
        loss = -self.autoencoder.log_likelihood(numbers)
        if self.mean is None or not np.isnan(numbers).any():
            return loss
        return loss + (self.autoencoder.column_log_likelihood(numbers) == 0) @ self.mean

    def errors(self, numbers: Numbers) -> np.ndarray:
        """Return by how much each column's -log p exceeds its typical one, (n, columns)."""
        return np.maximum(-self.autoencoder.column_log_likelihood(numbers) - self.typical, 0)

    def state(self) -> State:
        """Return what it takes to rebuild the scorer."""
        own = {"typical": as_tensor(self.typical)} | ({} if self.mean is None else {"mean": as_tensor(self.mean)})
        return nest({"autoencoder": self.autoencoder.state()}, None, own)

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        autoencoder = TrainedAutoencoder.from_state(*member("autoencoder", facts, tensors), surroundings)
        columns = autoencoder.model.schema.n_features
        mean = checked(tensors, "mean", (columns,)).numpy() if "mean" in tensors else None
        return cls(autoencoder, checked(tensors, "typical", (columns,)).numpy(), mean)


def mean_where_seen(losses: np.ndarray) -> np.ndarray:
    """Return the mean loss of each column over the cells that are there, (columns,); those that are not have 0.

    >>> mean_where_seen(np.array([[1.0, 0.0], [3.0, 0.0]])).tolist()
    [2.0, 0.0]
    """
    seen = losses != 0
    mean: np.ndarray = losses.sum(0) / np.maximum(seen.sum(0), 1)
    return mean
