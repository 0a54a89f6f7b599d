"""The masked autoencoders of an imputer: how they are trained, and what they expect of missing cells."""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from sklearn.base import clone
from torch import Generator, Tensor

from isthmus.data.dense import DenseTable
from isthmus.data.tables import TableScaling
from isthmus.engine.compute import Compute
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.inference import Inference
from isthmus.parts.corruptions import Masking

RATE = 0.3
"""Share of a row's columns that are hidden in training."""
HIDDEN, LATENT, LEARNING_RATE = 256, 64, 3e-3
STEPS, PASSES = 100, 8
"""Training steps of an autoencoder at least, and passes over the rows."""
BATCH = 128


def clone_of(estimator: AutoEncoder | None, rows: int) -> AutoEncoder:
    """Return an unfitted copy of the estimator, or for None the default one for that many rows."""
    if estimator is None:
        return masked_autoencoder(rows)
    if not isinstance(estimator, AutoEncoder):
        raise ValueError(f"estimator must be an AutoEncoder or None; got {estimator!r}")
    copy: AutoEncoder = clone(estimator)
    return copy


def masked_autoencoder(rows: int) -> AutoEncoder:
    """Return the default autoencoder of an imputer, for that many training rows."""
    steps_per_epoch = -(-rows // BATCH)
    return AutoEncoder(
        latent=LATENT,
        hidden=(HIDDEN,),
        corruption=Masking(RATE, value=None, score="hidden"),
        learning_rate=LEARNING_RATE,
        epochs=max(PASSES, -(-STEPS // steps_per_epoch)),
        batch_size=min(BATCH, max(rows, 1)),
        patience=None,
        compute=Compute(precision="float32"),
    )


def scaling_of(model: FittedModel) -> TableScaling:
    """Return the scaling of a model, which for an imputer is always one of columns of several kinds."""
    assert isinstance(model.scaling, TableScaling), "an imputer learns columns of several kinds"
    return model.scaling


def expected_cells(model: FittedModel, numbers: np.ndarray, machine: Compute) -> np.ndarray:
    """Return what a model expects in every cell of numbers (n, R), (n, F) float64."""
    network = model.network

    def means(x: Tensor) -> Tensor:
        return network.likelihood.mean(network.decoder(network.encode(x).mean))

    inference = Inference(model, machine)
    found = inference.map(means, inference.rows(DenseTable(numbers)), scaling_of(model).cells)
    return found.astype(np.float64)


def mean_cells(models: Sequence[FittedModel], numbers: np.ndarray, machine: Compute) -> np.ndarray:
    """Return the mean over the models of what they expect in numbers (n, R), (n, F)."""
    total = expected_cells(models[0], numbers, machine)
    for model in models[1:]:
        total = total + expected_cells(model, numbers, machine)
    return total / len(models)


def drawn_cells(model: FittedModel, numbers: np.ndarray, machine: Compute, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a draw from a model's likelihood for every cell of numbers (n, R), and its mean, both (n, F) float64."""
    network, cells = model.network, scaling_of(model).cells
    inference = Inference(model, machine)
    rows = inference.rows(DenseTable(numbers))
    likelihood = deepcopy(network.likelihood)
    generator = Generator(rows.device).manual_seed(seed)

    def both(x: Tensor) -> Tensor:
        theta = network.decoder(network.encode(x).mean)
        return torch.cat([likelihood.sample(theta, generator), likelihood.mean(theta)], dim=1)

    found = inference.map(both, rows, 2 * cells).astype(np.float64)
    return found[:, :cells], found[:, cells:]
