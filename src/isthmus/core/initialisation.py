"""Where training starts: at PCA, at orthogonal matrices, or at torch's own random weights.

PCA. A layer is written so that the coordinates c = Pᵀ(x - m) of a row can be read off its output by an affine map:

- *split*: an activation with a(x) - a(-x) = x (relu, silu, gelu, softplus) and a layer of at least 2·R units hold
  a(c) and a(-c), whose difference is c exactly;
- *straight*: otherwise R units work where the activation is nearest to a straight line, and c is read off nearly.

Each layer's matrix is then (what it shall hold) · (how to read c off the layer before), and the last one writes
Pc + m. Units that are left over get orthogonal weights coming in and zeros going out: they change nothing at first and
learn from the first step. The idea is the "looks-linear" initialisation of Balduzzi et al. (2017), with PCA as the
linear map.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor, nn

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import batch_mean
from isthmus.core.modules import Activation, Stack, TiedStack, activation
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.core.readout import best_linear

INITIALISATIONS = ("pca", "orthogonal", "torch")


class Readout(NamedTuple):
    """How the coordinates c (R,) are read off a layer's output h: c = matrix h + bias."""

    matrix: Tensor
    bias: Tensor


LEAST_FITTED = 64
FITTED_CELLS = 2**16
"""Of so many cells, but at least of so many rows, the two numbers of the output's line are fitted."""


def initialise(
    network: Network,
    method: str,
    generator: Generator,
    principal: PrincipalComponents | None = None,
    sample: Tensor | None = None,
    weight: Tensor | None = None,
) -> str:
    """Write the starting weights of every stack in the network; return in words which initialisation was used.

    Parameters
    ----------
    network
        Its encoder and decoder; a module other than `Stack` and `TiedStack` is asked to ``initialise(generator)``, and
        keeps the weights it came with if it cannot.
    method
        "pca", "orthogonal" or "torch".
    generator
        Where random weights come from.
    principal
        The leading components of the training rows, as many as the code has coordinates; "pca" needs them.
    sample
        (n, F) training rows, from which "pca" fits the output's gain and offset and the range of the codes.
    weight
        (n,) weights of these rows, or None for equal ones.
    """
    refuse_unknown("init", method, INITIALISATIONS)
    parts: list[Any] = [network.encoder, network.decoder, *network.demands]
    for part in parts:
        if isinstance(part, Stack | TiedStack):
            (as_torch_does if method == "torch" else orthogonal)(part, generator)
        elif hasattr(part, "initialise"):
            part.initialise(generator)
    if method != "pca":
        return method
    assert sample is not None
    obstacle = pca_obstacle(network, principal)
    if obstacle:
        start_at_mean(network, sample, weight)
        return f"orthogonal (pca is not possible: {obstacle})"
    assert principal is not None
    return start_at_pca(network, principal, sample, weight)


def as_torch_does(stack: Stack | TiedStack, generator: Generator) -> None:
    """Weights and biases uniform on ±1/√(inputs), as `torch.nn.Linear` has them."""
    for weight, bias in zip(stack.weights, stack.biases, strict=True):
        bound = weight.shape[1] ** -0.5
        if isinstance(stack, Stack):
            nn.init.uniform_(weight, -bound, bound, generator=generator)
        nn.init.uniform_(bias, -bound, bound, generator=generator)


def orthogonal(stack: Stack | TiedStack, generator: Generator) -> None:
    """Orthogonal matrices (Saxe et al. 2014), biases zero."""
    for weight, bias in zip(stack.weights, stack.biases, strict=True):
        if isinstance(stack, Stack):
            nn.init.orthogonal_(weight, generator=generator)
        nn.init.zeros_(bias)


def pca_obstacle(network: Network, principal: PrincipalComponents | None = None) -> str | None:
    """Say why the network cannot start at PCA, or None when it can."""
    encoder, decoder = network.encoder, network.decoder
    if not isinstance(encoder, Stack) or not isinstance(decoder, Stack | TiedStack):
        return "the encoder and the decoder are not both dense"
    if network.code.activation is None:
        return f"the code {network.code.made_by} is no function of each coordinate by itself"
    if network.likelihood.activation is None and not network.likelihood.starts_linear:
        return f"the likelihood {network.likelihood.made_by} has no mean that a decoder gives directly"
    if encoder.norms is not None or decoder.norms is not None:
        return "a normalisation layer rescales what passes"
    if isinstance(decoder, TiedStack):
        rank = encoder.weights[-1].shape[0]
        narrow = [weight.shape[0] for weight in encoder.weights[:-1] if not splits(encoder, weight.shape[0], rank)]
        if narrow or network.code.activation != "identity":
            return "tied weights need hidden layers of twice the code's size, an activation that splits, a linear code"
        if principal is not None and principal.components.shape[1] < rank:
            return f"tied weights need {rank} components for the code, and there are {principal.components.shape[1]}"
    return None


def splits(stack: Stack | TiedStack, width: int, rank: int) -> bool:
    """Whether a hidden layer of this width holds `rank` coordinates exactly."""
    return width >= 2 * rank and activation(stack.activation_name).splits


@torch.no_grad()
def start_at_mean(network: Network, sample: Tensor, weight: Tensor | None = None) -> None:
    """Let a dense encoder see centred rows, and a decoder that can do so begin by giving the mean row."""
    encoder, decoder = network.encoder, network.decoder
    if isinstance(encoder, Stack) and encoder.norms is None:
        middle = batch_mean(network.likelihood.encoder_input(sample).double(), weight)
        first = encoder.weights[0]
        encoder.biases[0].copy_(-first[:, : len(middle)] @ middle.to(first))
    last: Any = decoder.biases[-1] if isinstance(decoder, Stack | TiedStack) else getattr(decoder, "offset", None)
    if last is not None:
        double = network.likelihood.filled(sample).double()
        mean = batch_mean(double, weight)
        variance = batch_mean((double - mean).square(), weight)
        last.copy_(network.likelihood.start_bias(mean, variance))


@torch.no_grad()
def start_at_pca(network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None = None) -> str:
    """Write PCA into a network without obstacles; return in words how exactly."""
    encoder, decoder = network.encoder, network.decoder
    assert isinstance(encoder, Stack)
    assert isinstance(decoder, Stack | TiedStack)
    latent = network.code.latent
    hidden = [weight.shape[0] for weight in [*encoder.weights[:-1], *decoder.weights[:-1]]]
    rank = min([latent, principal.components.shape[1], *hidden])
    principal = principal.first(rank)
    coordinates = coordinates_of(network, principal, sample)
    gain, offset = (
        (1.0, 0.0) if network.likelihood.starts_linear else line_of(network, principal, coordinates, sample, weight)
    )
    # Tied matrices write with what they read with, so that a gain of the output has to come half from either.
    stretch = gain**0.5 if isinstance(decoder, TiedStack) else 1.0
    coordinates = coordinates * stretch
    # A coordinate without spread is rounding noise, which no layer shall blow up to its full reach.
    spread = coordinates.abs().amax(0).clamp_min(max(1e-3 * float(sample.nan_to_num(0).abs().max()), 1e-12))

    first, features = encoder.weights[0], len(principal.mean)
    # Where the encoder is told which entries are hidden, that tells nothing at first.
    first[:, features:] = 0
    reading = torch.zeros(rank, first.shape[1], dtype=torch.float64, device=spread.device)
    reading[:, :features] = stretch * principal.components.T
    readout = Readout(reading, -stretch * (principal.components.T @ principal.mean))
    # Units that are left over see the data centred too: a relu that is negative for every row would never learn.
    encoder.biases[0].copy_(-first[:, :features] @ principal.mean.to(first))
    for depth in range(len(encoder.linears) - 1):
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
    if isinstance(decoder, TiedStack):
        silence_spare(decoder, rank)
    if rank < min(latent, sample.shape[1]):
        return f"pca ({rank} of {latent} components: a layer or the data have no room for more)"
    return f"pca ({exactness(network, encoder, decoder, rank)})"


def exactness(network: Network, encoder: Stack, decoder: Stack | TiedStack, rank: int) -> str:
    """Say how exactly a network can hold that many principal coordinates."""
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
    """Return the sample (n, F) in principal coordinates, (n, R) float64, of what the encoder sees of it."""
    features = len(principal.mean)

    def seen(x: Tensor) -> Tensor:
        return network.likelihood.encoder_input(x)[:, :features] if network.likelihood.starts_linear else x

    # A few rows at a time: in float64 the sample may be larger than all the rest of the training.
    return torch.cat([(seen(x).double() - principal.mean) @ principal.components for x in sample.split(256)])


def line_of(
    network: Network, principal: PrincipalComponents, coordinates: Tensor, sample: Tensor, weight: Tensor | None
) -> tuple[float, float]:
    """Fit gain and offset of the output on some of the sample."""
    few = max(LEAST_FITTED, FITTED_CELLS // sample.shape[1])
    linear = coordinates[:few] @ principal.components.T + principal.mean
    return output_line(network, linear, sample[:few].double(), None if weight is None else weight[:few].double())


def write(stack: Stack | TiedStack, depth: int, rows: slice, held: Tensor, shift: Tensor, readout: Readout) -> None:
    """Make the units `rows` of a layer compute held·c + shift from the output of the layer before."""
    if isinstance(stack, Stack):
        stack.weights[depth][rows] = (held @ readout.matrix).to(stack.weights[depth])
    stack.biases[depth][rows] = (held @ readout.bias + shift).to(stack.biases[depth])


def write_hidden(stack: Stack | TiedStack, depth: int, readout: Readout, spread: Tensor) -> Readout:
    """Write a hidden layer that holds c; return how to read c off it."""
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
    held, shift, slope, level = straight_line(line, spread)
    write(stack, depth, slice(0, rank), torch.diag(held), shift, readout)
    matrix[:, :rank] = torch.diag(1 / (slope * held))
    return Readout(matrix, -level / (slope * held))


def write_code(encoder: Stack, network: Network, readout: Readout, spread: Tensor, deviation: Tensor) -> Readout:
    """Write the encoder's last layer: c itself, or c where the code's activation is nearly a straight line.

    With a prior, or a reach of its own, c is brought to its size: to standard `deviation` 1, or into the reach.
    """
    rank, code = len(readout.bias), network.code
    assert code.activation is not None
    held, shift, slope, level = straight_line(activation(code.activation), spread)
    if code.activation == "identity" and code.reach is not None:
        held = code.reach / spread
    elif code.activation == "identity" and network.prior is not None:
        held = 1 / torch.maximum(deviation, 1e-3 * spread)
    last = len(encoder.linears) - 1
    write(encoder, last, slice(0, rank), torch.diag(held), shift, readout)
    matrix = torch.zeros(rank, code.latent, dtype=torch.float64, device=spread.device)
    matrix[:, :rank] = torch.diag(1 / (slope * held))
    return Readout(matrix, -level / (slope * held))


def write_rest_of_code(encoder: Stack, network: Network, principal: PrincipalComponents) -> None:
    """Write what the code takes beside its first K inputs, by the share of noise along each component."""
    latent, rank = network.code.latent, len(principal.variances)
    noise = principal.residual_variances().mean()
    share = torch.ones(latent, dtype=torch.float64)
    share[:rank] = (noise / principal.variances.clamp_min(1e-12)).clamp(0, 1)
    rest = network.code.rest_bias(share)
    if len(rest):
        encoder.weights[-1][latent:] = 0
        encoder.biases[-1][latent:] = rest.to(encoder.biases[-1])


def write_output(
    decoder: Stack | TiedStack,
    network: Network,
    principal: PrincipalComponents,
    readout: Readout,
    scale: float,
    gain: float,
    offset: float,
) -> None:
    """Write the decoder's last layer: gain·(PCA's reconstruction) + offset, then whatever else the likelihood takes."""
    last = len(decoder.biases) - 1
    features = len(principal.mean)
    held = scale * principal.components
    write(decoder, last, slice(0, features), held, gain * principal.mean + offset, readout)
    rest = network.likelihood.spread_bias(principal.residual_variances())
    if len(rest):
        decoder.weights[last][features:] = 0
        decoder.biases[last][features:] = rest.to(decoder.biases[last])


def silence_spare(decoder: TiedStack, rank: int) -> None:
    """Take a(0), which every unit that is left over gives (0 but for softplus), out of the biases behind it."""
    spare = torch.zeros_like(decoder.weights[0][0])
    for weight, bias in zip(decoder.weights, decoder.biases, strict=True):
        bias -= weight @ spare
        spare = decoder.function(torch.zeros_like(bias))
        spare[: 2 * rank] = 0


def straight_line(function: Activation, spread: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where to work for a(held·c + shift) ≈ level + slope·held·c, for coordinates of the given spread (R,)."""
    ones = torch.ones_like(spread)
    if function.reach == float("inf"):
        return ones, 0 * ones, ones, 0 * ones
    shift = function.centre * ones
    with torch.enable_grad():
        at = shift.clone().requires_grad_()
        level = function.function(at)
        (slope,) = torch.autograd.grad(level.sum(), at)
    return function.reach / spread, shift, slope, level.detach()


def output_line(network: Network, linear: Tensor, target: Tensor, weight: Tensor | None) -> tuple[float, float]:
    """Fit gain and offset so that a(gain·linear + offset) is nearest to the target in the mean squared error.

    The start is the tangent of the output's activation a at 0. For relu and the identity nothing has to be fitted.
    """
    name = network.likelihood.activation
    assert name is not None
    if name in ("identity", "relu"):
        return 1.0, 0.0
    function = activation(name).function
    with torch.enable_grad():
        zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
        level = function(zero)
        (slope,) = torch.autograd.grad(level, zero)

    def error(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            line = torch.tensor(numbers, dtype=torch.float64, device=linear.device, requires_grad=True)
            squares = (function(line[0] * linear + line[1]) - target).square()
            loss = batch_mean(squares.mean(1), weight)
            (gradient,) = torch.autograd.grad(loss, line)
        return float(loss), gradient.cpu().numpy()

    start = np.array([1 / float(slope), -float(level) / float(slope)])
    # Not torch's own optimisers: the first of them costs a second of imports.
    gain, offset = map(float, minimize(error, start, jac=True, method="BFGS", options={"maxiter": 50}).x)
    # Data without spread have no slope to fit.
    return (gain, offset) if gain > 0 and math.isfinite(gain) and math.isfinite(offset) else (1.0, 0.0)
