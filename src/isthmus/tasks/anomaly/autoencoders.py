"""`TrainedAutoencoder`: the autoencoder that a method scores rows by. The only file that reaches into `estimators`."""

import tempfile
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from isthmus.estimators import AutoEncoder, model_file
from isthmus.estimators.streams import Checked
from isthmus.tasks.anomaly.number_table import Numbers
from isthmus.tasks.anomaly.state import Facts, State, Surroundings, Tensors
from isthmus.tasks.anomaly.training import Training

FEW = 10
"""Number of columns up to which the code has half as many numbers."""


class TrainedAutoencoder:
    """A fitted autoencoder, used on numbers that were read already.

    Parameters
    ----------
    estimator
        Fitted.
    """

    def __init__(self, estimator: AutoEncoder) -> None:
        self.estimator = estimator

    @property
    def network(self) -> nn.Module:
        """The network, to be moved to a device."""
        return cast("nn.Module", self.estimator.network_)

    def log_likelihood(self, numbers: Numbers) -> np.ndarray:
        """Return log p(x|z) of each row of numbers (n, R), (n,) float64."""
        return np.asarray(self.estimator.score_samples(Checked(numbers)), dtype=np.float64)

    def column_log_likelihood(self, numbers: Numbers) -> np.ndarray:
        """Return the part of each column in `log_likelihood`, (n, columns) float64."""
        return self.estimator.score_columns(Checked(numbers))

    def residual_and_code(self, x: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return residual (B, C) and code (B, K) of rows x (B, C), in the number type of x."""
        network, scaling = self.estimator.network_, self.estimator.scaling_
        with torch.no_grad():
            seen = scaling(x.cpu(), next(network.parameters()).dtype).to(device)
            code = network.encode(seen).mean
            rebuilt = scaling.inverse(network.decode(code).cpu()).to(x)
        return x - rebuilt, code.to(x)

    def state(self) -> State:
        """Return what it takes to rebuild the autoencoder."""
        with tempfile.TemporaryDirectory() as folder:
            self.estimator.save(Path(folder) / "model")
            return State(*model_file.read(Path(folder) / "model"))

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild an autoencoder."""
        return cls(model_file.rebuild(dict(facts), dict(tensors), str(surroundings.device)))


def is_fitted(estimator: AutoEncoder | None) -> bool:
    """Whether an estimator was given and is fitted."""
    if estimator is None:
        return False
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def refuse_other(estimator: object) -> None:
    """Raise a `ValueError` if the estimator is neither an autoencoder nor None."""
    if estimator is not None and not isinstance(estimator, AutoEncoder):
        raise ValueError(
            f"estimator must be an AutoEncoder, such as a preset of isthmus.zoo, or None; got {estimator!r}"
        )


def trained_on_numbers(training: Training, numbers: Numbers) -> TrainedAutoencoder:
    """Train an autoencoder, or the one that was given, on numbers; a fitted one stays as it is."""
    if training.estimator is not None and is_fitted(training.estimator):
        return TrainedAutoencoder(training.estimator)
    estimator = new_estimator(training)
    estimator.n_features_in_ = numbers.shape[1]
    if training.columns is not None:
        estimator.n_features_in_, estimator.columns_ = len(training.columns), training.columns
    return TrainedAutoencoder(estimator.fit(Checked(numbers)))


def trained_on_cells(training: Training, x: Tensor) -> TrainedAutoencoder:
    """Train an autoencoder, or the one that was given, on cells (n, C)."""
    return TrainedAutoencoder(new_estimator(training).fit(x.numpy()))


def new_estimator(training: Training) -> AutoEncoder:
    """Return the autoencoder to train, with the seed of the training."""
    if training.estimator is None:
        return AutoEncoder(latent(training), compute=str(training.device), random_state=training.seed)
    estimator: AutoEncoder = clone(training.estimator)
    if estimator.random_state is None:
        estimator.set_params(random_state=training.seed)
    return estimator


def latent(training: Training) -> int | float:
    """Return the size of the code: half the columns if there are few, since a larger code would copy rows.

    With more columns it is as large as 90 % of the variance takes.
    """
    columns = training.numbers.shape[1]
    return max(1, columns // 2) if columns <= FEW else 0.9
