"""log p(x) of the rows of a table, by the distribution of codes that a fitted model has learned."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from isthmus.core.laplace import importance_weighted, jacobian, mode, precision_factor
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network
from isthmus.data.table import Table
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.inference import Inference
from isthmus.estimators.marginal import CELLS, Marginal
from isthmus.estimators.network_input import SeenRows

SAMPLES = 32
"""Draws per row by which `AutoEncoder.score` estimates log p(x)."""


def log_marginal(inference: Inference, marginal: Marginal, table: Table, uniform: Tensor) -> np.ndarray:
    """Estimate log p(x) of each row of a table in the data's units, (n,) float64, with points (S, K) in [0, 1)."""
    network, dtype = inference.model.network, inference.model.dtype
    own = marginal.to(inference.device, dtype)
    scored = Inference(with_likelihood(inference, own.likelihood), inference.machine, gaps=inference.input.gaps)
    at_a_time = max(1, CELLS // (len(own.mean) * own.likelihood.outputs))

    def estimated(seen: SeenRows) -> Tensor:
        x, u = seen.x, own.whitened(network.activate(seen.x))

        def log_joint(u: Tensor) -> Tensor:
            log_density = scored.log_density(seen, own.outputs(network, u))
            return log_density - 0.5 * u.double().square().sum(1).to(log_density)

        _, derivatives = jacobian(lambda u: own.likelihood.mean(own.outputs(network, u)), u)
        variances = own.likelihood.variances(own.outputs(network, u))
        missing = x.isnan() if seen.cells is None else seen.cells.isnan().to(x.device)
        factor = precision_factor(derivatives, torch.where(missing, torch.inf, variances.to(x)))
        return importance_weighted(log_joint, mode(log_joint, u, factor), factor, uniform.to(x.device))

    def in_parts(seen: SeenRows) -> Tensor:
        starts = range(0, len(seen.x), at_a_time)
        return torch.cat([estimated(part_of(seen, slice(start, start + at_a_time))) for start in starts])

    return inference.map_scored(in_parts, table, None)


def part_of(seen: SeenRows, rows: slice) -> SeenRows:
    """Return some of the rows."""
    apart = None if seen.apart is None else seen.apart[rows]
    return SeenRows(seen.x[rows], apart, None if seen.cells is None else seen.cells[rows])


def with_likelihood(inference: Inference, likelihood: LikelihoodModule) -> FittedModel:
    """Return a fitted model with the same network but for the likelihood."""
    model = inference.model
    network = Network(model.network.encoder, model.network.code, model.network.decoder, likelihood).eval()
    return dataclasses.replace(model, network=network)
