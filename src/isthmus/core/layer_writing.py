"""Layers whose output holds coordinates c, from which an affine map reads them off: see `initialisation`."""

from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.core.contract import Backbone
from isthmus.core.modules import Activation, activation
from isthmus.core.network import Network


class Readout(NamedTuple):
    """How the coordinates c (R,) are read off a layer's output h (H,): c = matrix h + bias."""

    matrix: Tensor
    """(R, H)"""
    bias: Tensor
    """(R,)"""


def splits(stack: Backbone, width: int, rank: int) -> bool:
    """Whether a hidden layer of this width holds `rank` coordinates exactly."""
    return width >= 2 * rank and activation(stack.activation_name).splits


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
