"""`Recipe`: how a detector is trained, apart from the rows; and the drawing of rows for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers
from isthmus.estimators import AutoEncoder
from isthmus.tasks.anomaly.choice import Method
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.training import Training

MOST_ROWS = 50_000
"""Greatest number of rows that a detector is trained on; of more rows a random sample is used."""


@dataclass(frozen=True)
class Recipe:
    """How a detector is trained, apart from the rows."""

    methods: Sequence[Method]
    """The methods to train."""
    weights: np.ndarray
    """(M,) how much each of them counts."""
    contaminated: bool
    """Whether some of the rows may be anomalies."""
    device: torch.device
    """The device to compute on."""
    schema: TableSchema
    """What was learned of the table's columns."""
    estimator: AutoEncoder | None = None
    """The autoencoder that the user gave, or None."""
    known: Numbers | None = None
    """(k, R) rows known to be anomalies, by which to weigh the methods further; None once that is done."""

    def training(self, numbers: Numbers, seed: int) -> Training:
        """Return what methods learn from rows (n, R)."""
        return Training(numbers, self.contaminated, seed, self.device, self.schema, self.estimator)

    def train(self, training: Training) -> Ensemble:
        """Train the methods and put their scores on one scale."""
        scorers = [method.train(training) for method in self.methods]
        return Ensemble.of(scorers, training.numbers, training.columns, self.weights, self.known)


def sample_places(rows: int, rng: np.random.Generator, known: np.ndarray | None = None) -> np.ndarray:
    """Return the places of at most `MOST_ROWS` rows of a table with so many, in random order, (m,).

    Rows that are known to be anomalies, (rows,) bool, are left out.
    """
    order = rng.permutation(rows)
    return (order if known is None else order[~known[order]])[:MOST_ROWS]
