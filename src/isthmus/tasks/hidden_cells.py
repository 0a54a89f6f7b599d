"""Hidden cells: what a network that was trained with some cells hidden puts into cells that are missing."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network
from isthmus.data.dense import DenseTable
from isthmus.data.tables import TableScaling
from isthmus.engine.compute import compute
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.inference import Inference

RATE = 0.3
"""Share of a row's columns that are hidden in training."""

Read = Callable[[Tensor], Tensor]
"""From a decoder's outputs (B, P) to cells (B, F): their means, or a draw."""


def scaling_of(model: FittedModel) -> TableScaling:
    """Return the scaling of a model, which for an imputer is always one of columns of several kinds."""
    assert isinstance(model.scaling, TableScaling), "an imputer learns columns of several kinds"
    return model.scaling


def filled_in(network: Network, x: Tensor, feature_group: Tensor, rounds: int, read: Read) -> Tensor:
    """Return what a network puts into every cell of x (B, F), NaN where missing.

    After the first pass each round fills one half of the columns again, given the expectations of the other half.
    """
    missing = torch.isnan(x)
    theta = network.decoder(network.encode(x).mean)
    expected, found = network.likelihood.mean(theta), read(theta)
    for turn in range(rounds):
        hidden = missing & (feature_group % 2 == turn % 2)
        seen = torch.where(missing & ~hidden, expected, torch.where(missing, torch.nan, x))
        theta = network.decoder(network.encode(seen).mean)
        expected = torch.where(hidden, network.likelihood.mean(theta), expected)
        found = torch.where(hidden, read(theta), found)
    return found


def drawing(likelihood: LikelihoodModule, spread: Tensor, generator: Generator) -> Read:
    """Return what draws cells from a likelihood whose numbers have this spread (cells,) about their mean."""
    own = deepcopy(likelihood)
    own.set_spread(spread.square())
    return lambda theta: own.sample(theta, generator)


@torch.no_grad()
def hidden_cell_errors(models: Sequence[FittedModel], numbers: np.ndarray, rounds: int) -> np.ndarray:
    """Hide cells of numbers (n, R) at random; return the root mean squared error of what fills them, (cells,)."""
    first = models[0]
    rows = Inference(first, compute("cpu")).rows(DenseTable(numbers))
    group = scaling_of(first).feature_group
    generator = Generator().manual_seed(0)
    hidden = (torch.rand(len(numbers), int(group.max()) + 1, generator=generator) < RATE)[:, group]
    x = rows.scaled(rows.table[:]).cpu()
    seen = torch.where(hidden, torch.nan, x)
    guesses = [
        filled_in(model.network.cpu(), seen, group, rounds, model.network.likelihood.mean).double() for model in models
    ]
    errors = torch.where(hidden, (x.double() - torch.stack(guesses).mean(0)).square(), torch.nan)
    counted = (~errors.isnan()).sum(0).clamp_min(1)
    return (errors.nan_to_num(0).sum(0) / counted).sqrt().numpy()
