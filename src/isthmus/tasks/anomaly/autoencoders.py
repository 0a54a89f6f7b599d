"""`TrainedAutoencoder`: the autoencoder that a method scores rows by."""

from typing import Self

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor, nn

from isthmus.data.dense import DenseTable
from isthmus.data.reading_numbers import table_of_numbers
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, Table
from isthmus.engine.compute import Compute
from isthmus.engine.compute import compute as compute_settings
from isthmus.engine.history import History
from isthmus.estimators import AutoEncoder, training
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.inference import Inference
from isthmus.estimators.model_state import model_of, state_of
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.state import Surroundings
from isthmus.tasks.anomaly.training import Training

FEW = 10
"""Number of columns up to which the code has half as many numbers."""


class TrainedAutoencoder:
    """A trained autoencoder, used on numbers that were read already.

    Parameters
    ----------
    model
        Fitted.
    machine
        Where it computes.
    """

    def __init__(self, model: FittedModel, machine: Compute) -> None:
        self.model, self.machine = model, machine

    @property
    def network(self) -> nn.Module:
        """The network, to be moved to a device."""
        return self.model.network

    @property
    def history(self) -> History:
        """The course of the training."""
        return self.model.record.history

    def log_likelihood(self, numbers: Numbers) -> np.ndarray:
        """Return log p(x|z) of each row of numbers (n, R), (n,) float64."""
        return Inference(self.model, self.machine).log_likelihood(table_of_numbers(numbers))

    def column_log_likelihood(self, numbers: Numbers) -> np.ndarray:
        """Return the part of each column in `log_likelihood`, (n, columns) float64."""
        return Inference(self.model, self.machine).column_log_likelihood(table_of_numbers(numbers))

    def residual_and_code(self, x: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return residual (B, C) and code (B, K) of rows x (B, C), in the number type of x."""
        network, scaling = self.model.network, self.model.scaling
        with torch.no_grad():
            seen = scaling(x.cpu(), self.model.dtype).to(device)
            code = network.encode(seen).mean
            rebuilt = scaling.inverse(network.decode(code).cpu()).to(x)
        return x - rebuilt, code.to(x)

    def state(self) -> State:
        """Return what it takes to rebuild the autoencoder."""
        return state_of(self.model)

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild an autoencoder."""
        model = model_of(State(facts, tensors), surroundings.classes)
        return cls(model, compute_settings(str(surroundings.device)))


def fitted_model(estimator: AutoEncoder | None) -> FittedModel | None:
    """Return the model of an estimator; None if it is not fitted, or if there is no estimator."""
    return None if estimator is None else estimator.fitted_model()


def refuse_other(estimator: object) -> None:
    """Raise a `ValueError` if the estimator is neither an autoencoder nor None."""
    if estimator is not None and not isinstance(estimator, AutoEncoder):
        raise ValueError(
            f"estimator must be an AutoEncoder, such as a preset of isthmus.zoo, or None; got {estimator!r}"
        )


def trained_on_numbers(rows: Training, numbers: Numbers) -> TrainedAutoencoder:
    """Train an autoencoder, or the one that was given, on numbers; a fitted one stays as it is."""
    known = fitted_model(rows.estimator)
    if rows.estimator is not None and known is not None:
        return TrainedAutoencoder(known, compute_settings(rows.estimator.compute))
    return trained(rows, table_of_numbers(numbers), rows.robust_schema)


def trained_on_cells(rows: Training, x: Tensor) -> TrainedAutoencoder:
    """Train an autoencoder, or the one that was given, on cells (n, C)."""
    row_shape = rows.schema.row_shape if rows.columns is None else None
    return trained(rows, DenseTable(x.numpy()), TableSchema(x.shape[1], row_shape=row_shape))


def trained(rows: Training, table: Table, schema: TableSchema) -> TrainedAutoencoder:
    """Train a new autoencoder, or a copy of the one that was given, on a table."""
    estimator = new_estimator(rows)
    model = training.fit(estimator, table, schema, compare=False, whole=True)
    return TrainedAutoencoder(model, compute_settings(estimator.compute))


def new_estimator(rows: Training) -> AutoEncoder:
    """Return the autoencoder to train, with the seed of the training."""
    if rows.estimator is None:
        return AutoEncoder(latent(rows), encoder="dense", compute=str(rows.device), random_state=rows.seed)
    estimator: AutoEncoder = clone(rows.estimator)
    if estimator.random_state is None:
        estimator.set_params(random_state=rows.seed)
    return estimator


def latent(rows: Training) -> int | float:
    """Return the size of the code: half the columns if there are few, since a larger code would copy rows.

    With more columns it is as large as 90 % of the variance takes.
    """
    columns = rows.numbers.shape[1]
    return max(1, columns // 2) if columns <= FEW else 0.9
