"""What a model with a prior, a posterior or a codebook can do besides encoding: draw rows, estimate log p(x), index."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor
from torch.distributions import Normal

from isthmus.core.laplace import normal_points
from isthmus.core.network import Network
from isthmus.data.table import Table
from isthmus.estimators import checks
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.inference import Inference, uninitialised
from isthmus.estimators.log_marginal import log_marginal
from isthmus.estimators.network_input import SeenRows
from isthmus.estimators.parameters import RandomState


def sample(inference: Inference, count: int, random_state: RandomState, noise: bool) -> np.ndarray:
    """Draw codes from the prior and decode them: to draws from p(x|z), or without noise to its means; (count, R)."""
    model = inference.model
    network, scaling = model.network, model.scaling
    generator = Generator().manual_seed(checks.seed(random_state))
    assert network.prior is not None, "models without a prior have no such method"
    codes = network.prior.sample(count, model.latent, generator, uninitialised(model)).numpy()
    if not noise:
        return inference.decode(codes)
    draw = Generator(inference.device).manual_seed(int(torch.randint(2**62, (), generator=generator)))

    def drawn(z: Tensor) -> Tensor:
        return scaling.inverse(network.likelihood.sample(network.decoder(z), draw).cpu())

    return inference.map(drawn, inference.codes(codes), scaling.numbers)


def line(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Return the points on the straight lines between codes (n, K), (n, steps, K), both ends included."""
    share = np.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return start[:, None] * (1 - share) + end[:, None] * share


def has_density(model: FittedModel) -> bool:
    """Whether log p(x) can be estimated: by the distribution of codes, or by a prior and a posterior."""
    network = model.network
    return model.record.marginal is not None or (network.prior is not None and network.code.has_posterior)


def log_likelihood(inference: Inference, table: Table, samples: int, random_state: RandomState) -> np.ndarray:
    """Estimate log p(x) of each row by importance sampling from its posterior, (n,) float64."""
    model = inference.model
    generator = Generator().manual_seed(checks.seed(random_state))
    uniform = torch.empty(samples, model.latent, dtype=torch.float64).uniform_(generator=generator).to(inference.device)
    if model.record.marginal is not None:
        return log_marginal(inference, model.record.marginal, table, uniform)

    def estimated(seen: SeenRows) -> Tensor:
        return importance_weighted(model.network, seen.x, uniform, lambda theta: inference.log_density(seen, theta))

    return inference.map_scored(estimated, table, None)


def importance_weighted(
    network: Network, x: Tensor, uniform: Tensor, log_density: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the importance-weighted log-likelihood (B,) of rows, float64.

    Parameters
    ----------
    network
        With a posterior.
    x
        (B, F) rows as the network sees them.
    uniform
        (S, K) points in [0, 1).
    log_density
        From the decoder's outputs (B, P) to log p of the rows, (B,) float64.
    """
    posterior = network.encode(x).posterior
    assert isinstance(posterior, Normal)
    total = torch.full((len(x),), -math.inf, dtype=torch.float64, device=x.device)
    for point in normal_points(uniform, posterior.mean):
        epsilon = point.to(x)
        z = posterior.mean + posterior.stddev * epsilon
        # log p(z) - log q(z|x), whose ½ log 2π cancel.
        ratio = (0.5 * (epsilon.square() - z.square()) + torch.log(posterior.stddev)).sum(1)
        total = torch.logaddexp(total, ratio.double() + log_density(network.decoder(z)))
    return total - math.log(len(uniform))


def codewords(inference: Inference, table: Table) -> np.ndarray:
    """Return which codewords stand for each row, (n, groups) int64."""
    network = inference.model.network

    def indices(seen: SeenRows) -> Tensor:
        return network.code.indices(network.activate(seen.x))

    with torch.no_grad():
        groups = indices(inference.input.look(table[:1])).shape[1]
    return inference.map_seen(indices, table, groups).astype(np.int64)
