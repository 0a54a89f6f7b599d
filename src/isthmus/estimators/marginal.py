"""`Marginal`: what turns a decoder into a density of rows, log p(x), by which models of different sizes are compared.

log p(x|z) of a row given its own code knows the row already, and rises with every number that the code gets. log p(x)
does not: the code must come from somewhere, and costs what its distribution says.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.core.checked_tensors import FLOATS, checked
from isthmus.core.held_out_variances import held_out_variances, variances_without_held_out
from isthmus.core.laplace import jacobian, precision_factor
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network
from isthmus.core.resolution import resolution_variances
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.inference import column_errors
from isthmus.estimators.spread import column_variances, different_rows, some_of

CODES, ROWS = 4096, 256
"""Rows by which the distribution of codes and the variances are learned, at most, and those with derivatives."""
LEAST_PART = 0.1
"""Least share of the error of rows with derivatives that other rows leave."""
CELLS = 2**22
"""Derivatives that are held at a time, about."""
ROUNDS, CLOSE = 10, 0.01
"""Rounds in which variances are learned at most, and the relative change at which they end."""
RIDGE = 1e-10
"""Least variance of a coordinate of the code, relative to the greatest."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """p(x) = ∫ p(x|z) p(z) dz: the encoder's outputs h, of which codes are a function, are Gaussian.

    Parameters
    ----------
    mean : Tensor of shape (K,)
        Mean of h over training rows.
    root : Tensor of shape (K, K)
        Lower Cholesky factor of their covariance: h = mean + root u with u ~ N(0, I).
    likelihood : LikelihoodModule
        p(x|z), with a variance of each column where variances are set by errors.
    """

    mean: Tensor
    root: Tensor
    likelihood: LikelihoodModule

    def to(self, device: torch.device, dtype: torch.dtype) -> "Marginal":
        """Return it on a device, with the distribution of h in a number type."""
        return Marginal(self.mean.to(device, dtype), self.root.to(device, dtype), self.likelihood.to(device))

    def state_dict(self) -> dict[str, Tensor]:
        """Return all tensors by name, for a file."""
        spreads = {f"likelihood.{name}": tensor for name, tensor in self.likelihood.state_dict().items()}
        return {"mean": self.mean, "root": self.root, **spreads}

    @classmethod
    def from_state_dict(cls, tensors: Mapping[str, Tensor], model: LikelihoodModule) -> "Marginal | None":
        """Undo `state_dict`, given the likelihood of the model; None if there are no tensors."""
        if not tensors:
            return None
        likelihood = model.with_column_spreads() or deepcopy(model)
        own = {name.removeprefix("likelihood."): tensor for name, tensor in tensors.items() if "." in name}
        likelihood.load_state_dict(own)
        mean = checked(tensors, "mean", (None,), FLOATS)
        root = checked(tensors, "root", (len(mean), len(mean)), mean.dtype)
        if not bool((root.diagonal() > 0).all()):
            raise ValueError("the root of a covariance must have a positive diagonal")
        return cls(mean, root, likelihood.eval())

    def whitened(self, h: Tensor) -> Tensor:
        """Return u (B, K) of the encoder's outputs h (B, K)."""
        solved: Tensor = torch.linalg.solve_triangular(self.root, (h - self.mean).T, upper=False).T
        return solved

    def outputs(self, network: Network, u: Tensor) -> Tensor:
        """Return the decoder's outputs (B, P) for u (B, K)."""
        theta: Tensor = network.decoder(network.code(self.mean + u @ self.root.T).z)
        return theta


def has_marginal(network: Network) -> bool:
    """Whether codes are a smooth function of as many outputs of the encoder, so that these can be given a density."""
    code = network.code
    smooth = code.activation is not None and not code.has_posterior and not code.codewords
    return smooth and code.inputs == code.latent


@torch.no_grad()
def learned_marginal(network: Network, rows: Rows, training: Index, validation: Tensor) -> Marginal | None:
    """Learn the distribution of codes from training rows, and variances from held-out rows as far as there are any.

    Parameters
    ----------
    network
        Trained, in evaluation mode.
    rows
        All rows.
    training, validation
        Positions of the rows that were trained on, and of those that were not.

    Returns
    -------
    Marginal or None
        None if codes have no density (`has_marginal`), or if squares of the network's numbers overflow.
    """
    if not has_marginal(network):
        return None
    distribution = code_distribution(network, rows, training[:CODES])
    if distribution is None:
        return None
    mean, root = distribution
    likelihood = network.likelihood.with_column_spreads()
    marginal = Marginal(mean, root, network.likelihood if likelihood is None else likelihood)
    if likelihood is not None and not learn_variances(network, marginal, rows, training, validation):
        return None
    return Marginal(mean.cpu(), root.cpu(), deepcopy(marginal.likelihood).cpu())


def code_distribution(network: Network, rows: Rows, index: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the mean (K,) of the encoder's outputs, and the Cholesky factor (K, K) of their covariance.

    As if K more rows had outputs without correlations: few rows cannot tell these. None if they overflow.
    """
    found, weights = [], []
    for chunk in index.split(rows.block):
        x, weight = rows.batch(chunk)
        found.append(network.activate(x).double())
        weights.append(torch.ones_like(found[-1][:, 0]) if weight is None else weight.double())
    h, weight = torch.cat(found), torch.cat(weights)
    share = weight / weight.sum()
    mean = share @ h
    centred = h - mean
    covariance = (centred * share[:, None]).T @ centred
    own = covariance.diagonal()
    least = RIDGE * own.max() if bool(own.max() > 0) else torch.ones_like(own.max())
    effective = float(1 / share.square().sum())
    apart = len(own) / (len(own) + effective)
    covariance = (1 - apart) * covariance + torch.diag(apart * own + least)
    dtype = rows.dtype
    if not covariance.to(dtype).isfinite().all():
        return None
    return mean.to(dtype), torch.linalg.cholesky(covariance).to(dtype)


class Expansion:
    """Rows by which variances are learned: some with the derivatives of the decoder at their codes, more without.

    Parameters
    ----------
    network, marginal
        The network, and the distribution of its codes.
    rows
        All rows.
    index
        Positions of the rows.
    most
        How many of them have derivatives.
    """

    def __init__(self, network: Network, marginal: Marginal, rows: Rows, index: Tensor, most: int) -> None:
        self.rows = len(index)
        self.x, weight = rows.batch(index[:most])
        self.there = ~self.x.isnan()
        self.weight = self.there.double() * (1.0 if weight is None else weight.double()[:, None])
        self.u = marginal.whitened(network.activate(self.x))

        def means(u: Tensor) -> Tensor:
            return marginal.likelihood.mean(marginal.outputs(network, u))

        self.mean, self.derivatives = jacobian(means, self.u)
        self.residual = (self.x - self.mean).nan_to_num(0)
        # What is rare in a column shows in many rows only.
        errors = column_errors(network, rows, index).to(self.x.device)
        self.rare = errors - self.averaged(self.residual.square())

    @property
    def finite(self) -> bool:
        """Whether squares of all numbers are finite."""
        numbers = (self.x.nan_to_num(0), self.residual, self.derivatives)
        return all(bool(part.square().isfinite().all()) for part in numbers)

    def averaged(self, values: Tensor) -> Tensor:
        """Return the mean of values (B, F) over the cells that are there, (F,) float64."""
        return (values.double() * self.weight).sum(0) / self.weight.sum(0).clamp_min(1e-300)

    def expected_errors(self, variances: Tensor) -> Tensor:
        """Return the expected squared errors (F,) given noise of these variances (F,): the rows' codes are unknown.

        This is the step of expectation-maximisation (Dempster, Laird and Rubin 1977; Rubin and Thayer 1982), with the
        decoder as straight as its derivatives.
        """
        noise = torch.where(self.there, variances.to(self.x), torch.inf)
        factor = precision_factor(self.derivatives, noise)
        pull = (self.derivatives @ (self.residual / noise)[:, :, None]).double()[:, :, 0] - self.u.double()
        step = torch.cholesky_solve(pull[:, :, None], factor).to(self.x)
        residual = self.residual - (step.transpose(1, 2) @ self.derivatives)[:, 0]
        spread = torch.linalg.solve_triangular(factor.to(self.x), self.derivatives, upper=False).square().sum(1)
        errors = self.averaged(residual.square() + spread)
        return torch.maximum(errors + self.rare, LEAST_PART * errors)


def learn_variances(network: Network, marginal: Marginal, rows: Rows, training: Index, validation: Tensor) -> bool:
    """Set the variances of a marginal's likelihood by rows' expected errors; return False if numbers overflow."""
    most = max(16, min(ROWS, CELLS // (network.code.latent * marginal.likelihood.outputs)))
    trained = Expansion(network, marginal, rows, training[:CODES], most)
    held_out = Expansion(network, marginal, rows, validation, most) if len(validation) else None
    if not trained.finite or not (held_out is None or held_out.finite):
        return False
    sample = some_of(training, trained.x.shape[1])
    x = rows.batch(sample)[0].cpu()
    own = column_variances(x, None).to(rows.device)
    resolution = resolution_variances(x).to(rows.device)
    noise = own.clamp_min(1e-6)
    different = different_rows(x, len(training))
    for _ in range(ROUNDS):
        errors = trained.expected_errors(noise)
        if held_out is None:
            update = variances_without_held_out(errors, different, network.code.latent, own)
        else:
            update = held_out_variances(held_out.expected_errors(noise), held_out.rows, errors, trained.rows, own)
        update = torch.maximum(update, resolution)
        marginal.likelihood.set_spread(update)
        update = update.clamp_min(1e-12)
        change = float((update / noise - 1).abs().max())
        noise = update
        if change < CLOSE:
            break
    return True
