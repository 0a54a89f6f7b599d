"""Where training starts: at PCA, at orthogonal matrices, or at torch's own random weights.

PCA: each layer is written so that the coordinates c = Pᵀ(x - m) of a row can be read off its output by an affine map.

- *split*: an activation with a(x) - a(-x) = x (relu, silu, gelu, softplus) and a layer of at least 2·R units hold
  a(c) and a(-c), whose difference is exactly c;
- *straight*: otherwise R units work where the activation is nearest to a straight line, and c is read off
  approximately.

The matrix of each layer is then (what the layer must hold) · (how to read c off the layer before), and the last layer
writes Pc + m. Spare units get orthogonal incoming weights and zero outgoing weights: they change nothing at first and
learn from the first step. The idea is the "looks-linear" initialisation of Balduzzi et al. (2017), with PCA as the
linear map.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Backbone, batch_mean
from isthmus.core.modules import Activation, activation
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.core.readout import best_linear

INITIALISATIONS = ("pca", "orthogonal", "torch")


class Readout(NamedTuple):
    """How the coordinates c (R,) are read off a layer's output h (H,): c = matrix h + bias."""

    matrix: Tensor
    """(R, H)"""
    bias: Tensor
    """(R,)"""


LEAST_FITTED = 64
FITTED_CELLS = 2**16
"""Gain and offset of the output are fitted on about this many cells, but at least that many rows."""


def initialise(
    network: Network,
    method: str,
    generator: Generator,
    principal: PrincipalComponents | None = None,
    sample: Tensor | None = None,
    weight: Tensor | None = None,
) -> str:
    """Write the first weights of the network; return in words which initialisation was used.

    Parameters
    ----------
    network
        The network, whose weights are overwritten.
    method
        "pca", "orthogonal" or "torch".
    generator
        Source of random weights.
    principal
        The leading components of the training rows, as many as the code has coordinates; "pca" needs them.
    sample
        (n, F) training rows, on which "pca" fits the output's gain and offset and the range of the codes.
    weight
        (n,) weights of these rows, or None for equal weights.

    Returns
    -------
    str
        Such as "pca (exact)", or "orthogonal (pca is not possible: ...)" with the reason.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    refuse_unknown("init", method, INITIALISATIONS)
    for backbone in (network.encoder, network.decoder):
        backbone.initialise(method, generator)
    for demand in network.demands:
        demand.initialise(generator)
    if method != "pca":
        return method
    assert sample is not None
    obstacle = pca_obstacle(network, principal)
    if obstacle:
        start_at_mean(network, sample, weight)
        return f"orthogonal (pca is not possible: {obstacle})"
    assert principal is not None
    return start_at_pca(network, principal, sample, weight)


def pca_obstacle(network: Network, principal: PrincipalComponents | None = None) -> str | None:
    """Return why the network cannot start at PCA, or None if it can."""
    encoder, decoder = network.encoder, network.decoder
    if not encoder.weights or encoder.tied or not decoder.weights:
        return "the encoder and the decoder are not both dense"
    if network.code.activation is None:
        return f"the code {network.code.made_by} does not map each coordinate on its own"
    if network.likelihood.activation is None and not network.likelihood.starts_linear:
        return f"the likelihood {network.likelihood.made_by} has no mean that a decoder gives directly"
    if encoder.normalised or decoder.normalised:
        return "a normalisation layer rescales what passes"
    if decoder.tied:
        rank = encoder.weights[-1].shape[0]
        narrow = [weight.shape[0] for weight in encoder.weights[:-1] if not splits(encoder, weight.shape[0], rank)]
        if narrow or network.code.activation != "identity":
            return "tied weights need hidden layers of twice the code's size, an activation that splits, a linear code"
        if principal is not None and principal.components.shape[1] < rank:
            return f"tied weights need {rank} components for the code, and there are {principal.components.shape[1]}"
    return None


def splits(stack: Backbone, width: int, rank: int) -> bool:
    """Whether a hidden layer of this width holds `rank` coordinates exactly."""
    return width >= 2 * rank and activation(stack.activation_name).splits


@torch.no_grad()
def start_at_mean(network: Network, sample: Tensor, weight: Tensor | None = None) -> None:
    """Let the encoder see centred rows and the decoder start by giving the mean row, where they can."""
    likelihood = network.likelihood
    network.encoder.centre_inputs(batch_mean(likelihood.encoder_input(sample).double(), weight))
    double = likelihood.filled(sample).double()
    mean = batch_mean(double, weight)
    variance = batch_mean((double - mean).square(), weight)
    try:
        bias = likelihood.start_bias(mean, variance)
    except NotImplementedError:  # A user's likelihood that cannot say so starts where the decoder does.
        return
    network.decoder.set_output_bias(bias)


@torch.no_grad()
def start_at_pca(network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None = None) -> str:
    """Write PCA into a network without obstacles; return in words how exactly."""
    encoder, decoder = network.encoder, network.decoder
    latent = network.code.latent
    hidden = [weight.shape[0] for weight in [*encoder.weights[:-1], *decoder.weights[:-1]]]
    rank = min([latent, principal.components.shape[1], *hidden])
    principal = principal.first(rank)
    coordinates = coordinates_of(network, principal, sample)
    gain, offset = (
        (1.0, 0.0) if network.likelihood.starts_linear else line_of(network, principal, coordinates, sample, weight)
    )
    # Tied matrices read and write with the same numbers, so each must contribute the square root of the output's gain.
    stretch = gain**0.5 if decoder.tied else 1.0
    coordinates = coordinates * stretch
    # A coordinate without spread is rounding noise; no layer may scale it up to its full reach.
    spread = coordinates.abs().amax(0).clamp_min(max(1e-3 * float(sample.nan_to_num(0).abs().max()), 1e-12))

    first, features = encoder.weights[0], len(principal.mean)
    # The mask of hidden entries, if the encoder sees it, has no effect at first.
    first[:, features:] = 0
    reading = torch.zeros(rank, first.shape[1], dtype=torch.float64, device=spread.device)
    reading[:, :features] = stretch * principal.components.T
    readout = Readout(reading, -stretch * (principal.components.T @ principal.mean))
    # Spare units see centred data too: a relu that is negative for every row would never learn.
    encoder.biases[0].copy_(-first[:, :features] @ principal.mean.to(first))
    for depth in range(len(encoder.weights) - 1):
        readout = write_hidden(encoder, depth, readout, spread)
    readout = write_code(encoder, network, readout, spread, stretch * principal.variances.sqrt())
    write_rest_of_code(encoder, network, principal)
    for depth in range(len(decoder.biases) - 1):
        readout = write_hidden(decoder, depth, readout, spread)
    if network.likelihood.starts_linear:
        held, shift = best_linear(network.likelihood, coordinates, sample, weight)
        write(decoder, len(decoder.biases) - 1, slice(0, len(shift)), held, shift, readout)
        return "pca (and the best linear map from it)"
    write_output(decoder, network, principal, readout, gain / stretch, gain, offset)
    if decoder.tied:
        silence_spare(decoder, rank)
    if rank < min(latent, sample.shape[1]):
        return f"pca ({rank} of {latent} components: a layer or the data have no room for more)"
    return f"pca ({exactness(network, encoder, decoder, rank)})"


def exactness(network: Network, encoder: Backbone, decoder: Backbone, rank: int) -> str:
    """Return in words how exactly a network can hold `rank` principal coordinates."""
    straight = [
        (weight.shape[0], stack.activation_name)
        for stack in (encoder, decoder)
        for weight in stack.weights[:-1]
        if stack.activation_name != "identity" and not splits(stack, weight.shape[0], rank)
    ]
    if straight:
        width, name = min(straight)
        if activation(name).splits:
            return f"nearly: hidden layer of {width}, exact from {2 * rank} on"
        return f"nearly: {name} in the hidden layers"
    if network.code.activation != "identity":
        return f"nearly: {network.code.activation} on the code"
    if network.likelihood.activation != "identity":
        return f"exact up to the output's {network.likelihood.activation}"
    return "exact"


def coordinates_of(network: Network, principal: PrincipalComponents, sample: Tensor) -> Tensor:
    """Return the principal coordinates, (n, R) float64, of the sample (n, F) as the encoder sees it."""
    features = len(principal.mean)

    def seen(x: Tensor) -> Tensor:
        return network.likelihood.encoder_input(x)[:, :features] if network.likelihood.starts_linear else x

    # A few rows at a time: in float64 the sample may need more memory than all of the training.
    return torch.cat([(seen(x).double() - principal.mean) @ principal.components for x in sample.split(256)])


def line_of(
    network: Network, principal: PrincipalComponents, coordinates: Tensor, sample: Tensor, weight: Tensor | None
) -> tuple[float, float]:
    """Fit the gain and offset of the output on part of the sample."""
    few = max(LEAST_FITTED, FITTED_CELLS // sample.shape[1])
    linear = coordinates[:few] @ principal.components.T + principal.mean
    return output_line(network, linear, sample[:few].double(), None if weight is None else weight[:few].double())


def write(stack: Backbone, depth: int, rows: slice, held: Tensor, shift: Tensor, readout: Readout) -> None:
    """Make the units `rows` of a layer compute held·c + shift from the output of the previous layer."""
    if not stack.tied:
        stack.weights[depth][rows] = (held @ readout.matrix).to(stack.weights[depth])
    stack.biases[depth][rows] = (held @ readout.bias + shift).to(stack.biases[depth])


def write_hidden(stack: Backbone, depth: int, readout: Readout, spread: Tensor) -> Readout:
    """Write a hidden layer that holds c; return how to read c off its output."""
    rank = len(readout.bias)
    width = stack.weights[depth].shape[0]
    eye = torch.eye(rank, dtype=torch.float64, device=spread.device)
    matrix = torch.zeros(rank, width, dtype=torch.float64, device=spread.device)
    if splits(stack, width, rank):
        both = torch.cat([eye, -eye])
        write(stack, depth, slice(0, 2 * rank), both, torch.zeros(2 * rank).to(both), readout)
        matrix[:, : 2 * rank] = both.T
        return Readout(matrix, torch.zeros_like(spread))
    line = activation(stack.activation_name)
    held, shift, derivative, level = straight_line(line, spread)
    write(stack, depth, slice(0, rank), torch.diag(held), shift, readout)
    matrix[:, :rank] = torch.diag(1 / (derivative * held))
    return Readout(matrix, -level / (derivative * held))


def write_code(encoder: Backbone, network: Network, readout: Readout, spread: Tensor, deviation: Tensor) -> Readout:
    """Write the encoder's last layer: c itself, or c where the code's activation is nearly a straight line.

    With a prior, c is scaled from its standard `deviation` (R,) to 1; with a reach of the code, into that reach.
    """
    rank, code = len(readout.bias), network.code
    assert code.activation is not None
    held, shift, derivative, level = straight_line(activation(code.activation), spread)
    if code.activation == "identity" and code.reach is not None:
        held = code.reach / spread
    elif code.activation == "identity" and network.prior is not None:
        held = 1 / torch.maximum(deviation, 1e-3 * spread)
    last = len(encoder.weights) - 1
    write(encoder, last, slice(0, rank), torch.diag(held), shift, readout)
    matrix = torch.zeros(rank, code.latent, dtype=torch.float64, device=spread.device)
    matrix[:, :rank] = torch.diag(1 / (derivative * held))
    return Readout(matrix, -level / (derivative * held))


def write_rest_of_code(encoder: Backbone, network: Network, principal: PrincipalComponents) -> None:
    """Write the code's inputs beyond the first K, from the share of noise along each component."""
    latent, rank = network.code.latent, len(principal.variances)
    noise = principal.residual_variances().mean()
    share = torch.ones(latent, dtype=torch.float64)
    share[:rank] = (noise / principal.variances.clamp_min(1e-12)).clamp(0, 1)
    rest = network.code.rest_bias(share)
    if len(rest):
        encoder.weights[-1][latent:] = 0
        encoder.biases[-1][latent:] = rest.to(encoder.biases[-1])


def write_output(
    decoder: Backbone,
    network: Network,
    principal: PrincipalComponents,
    readout: Readout,
    scale: float,
    gain: float,
    offset: float,
) -> None:
    """Write the decoder's last layer: gain·(PCA's reconstruction) + offset, then the likelihood's other outputs."""
    last = len(decoder.biases) - 1
    features = len(principal.mean)
    held = scale * principal.components
    write(decoder, last, slice(0, features), held, gain * principal.mean + offset, readout)
    rest = network.likelihood.spread_bias(principal.residual_variances())
    if len(rest):
        decoder.weights[last][features:] = 0
        decoder.biases[last][features:] = rest.to(decoder.biases[last])


def silence_spare(decoder: Backbone, rank: int) -> None:
    """Subtract a(0), the output of every spare unit (0 except for softplus), from the biases of the next layer."""
    spare = torch.zeros_like(decoder.weights[0][0])
    for weight, bias in zip(decoder.weights, decoder.biases, strict=True):
        bias -= weight @ spare
        spare = activation(decoder.activation_name).function(torch.zeros_like(bias))
        spare[: 2 * rank] = 0


def straight_line(function: Activation, spread: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return held, shift, derivative, level: a(held·c + shift) ≈ level + derivative·held·c for |c| ≤ spread (R,)."""
    ones = torch.ones_like(spread)
    if function.reach == float("inf"):
        return ones, 0 * ones, ones, 0 * ones
    shift = function.centre * ones
    with torch.enable_grad():
        point = shift.clone().requires_grad_()
        level = function.function(point)
        (derivative,) = torch.autograd.grad(level.sum(), point)
    return function.reach / spread, shift, derivative, level.detach()


def output_line(network: Network, linear: Tensor, target: Tensor, weight: Tensor | None) -> tuple[float, float]:
    """Fit gain and offset so that a(gain·linear + offset) is nearest to the target in the mean squared error.

    The fit starts at the tangent of the output's activation a at 0. relu and the identity need no fit.
    """
    name = network.likelihood.activation
    assert name is not None
    if name in ("identity", "relu"):
        return 1.0, 0.0
    function = activation(name).function
    with torch.enable_grad():
        zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
        level = function(zero)
        (derivative,) = torch.autograd.grad(level, zero)

    def error(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            line = torch.tensor(numbers, dtype=torch.float64, device=linear.device, requires_grad=True)
            squares = (function(line[0] * linear + line[1]) - target).square()
            loss = batch_mean(squares.mean(1), weight)
            (gradient,) = torch.autograd.grad(loss, line)
        return float(loss), gradient.cpu().numpy()

    start = np.array([1 / float(derivative), -float(level) / float(derivative)])
    # Not torch's own optimisers: the first of them costs a second of imports.
    gain, offset = map(float, minimize(error, start, jac=True, method="BFGS", options={"maxiter": 50}).x)
    # Data without spread have no gain to fit.
    return (gain, offset) if gain > 0 and math.isfinite(gain) and math.isfinite(offset) else (1.0, 0.0)
