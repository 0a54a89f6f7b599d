"""Layers: activations and what is known of them, fully connected stacks, dropout from a local generator."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.core import sparse_affine
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Stochastic


class Activation(NamedTuple):
    """An elementwise function a(x), and where it is a straight line."""

    function: Callable[[Tensor], Tensor]
    splits: bool
    """Whether a(x) - a(-x) = x, so that a layer twice as wide carries any linear map exactly."""
    centre: float
    """The middle of the interval in which it is nearest to a straight line."""
    reach: float
    """Half the width of that interval."""


def identity(x: Tensor) -> Tensor:
    """Return x."""
    return x


ACTIVATIONS = {
    "identity": Activation(identity, splits=False, centre=0.0, reach=float("inf")),
    "relu": Activation(functional.relu, splits=True, centre=1.0, reach=1.0),
    "silu": Activation(functional.silu, splits=True, centre=8.0, reach=2.0),
    "gelu": Activation(functional.gelu, splits=True, centre=6.0, reach=2.0),
    "softplus": Activation(functional.softplus, splits=True, centre=8.0, reach=2.0),
    "elu": Activation(functional.elu, splits=False, centre=1.0, reach=1.0),
    "tanh": Activation(torch.tanh, splits=False, centre=0.0, reach=0.25),
    "sigmoid": Activation(torch.sigmoid, splits=False, centre=0.0, reach=0.5),
}


def activation(name: str) -> Activation:
    """Return the activation called `name`, or raise a `ValueError` that lists the known ones."""
    refuse_unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def inverse(name: str, y: Tensor) -> Tensor:
    """Return x with a(x) nearest to y, kept from where the activation is flat (a sigmoid within 0.001 of 0 or 1)."""
    if name == "sigmoid":
        return torch.logit(y, eps=1e-3)
    if name == "tanh":
        return torch.atanh(y.clamp(-0.999, 0.999))
    if name == "elu":
        return torch.where(y > 0, y, torch.log1p(y.clamp_min(-0.999)))
    if name == "softplus":
        y = y.clamp_min(1e-3)
        return y + torch.log(-torch.expm1(-y))
    # relu is its own inverse where it is not flat; silu and gelu nearly are, on the right.
    return y if name == "identity" else y.clamp_min(1e-3)


class Dropout(Stochastic):
    """Zero each entry with probability `rate` in training and scale the rest by 1 / (1 - rate)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, H) to (B, H)."""
        if not self.training or self.rate == 0:
            return x
        keep = torch.empty_like(x).bernoulli_(1 - self.rate, generator=self.generator)
        return x * keep / (1 - self.rate)


NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer whose weights are still to be written."""
    # torch's own constructor would draw them from the global generator.
    return nn.utils.skip_init(nn.Linear, inputs, outputs)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None, training: bool) -> Tensor:
    """Return x Wᵀ + b; out of training in a way that gives a row the same bits wherever in the batch it stands.

    Products are made of several rows at once, by instructions that differ with the alignment of a row in memory; a
    length that is a multiple of `ALIGNMENT` aligns them all.
    """
    if not training:
        spare = -x.shape[1] % ALIGNMENT
        if spare:
            x, weight = functional.pad(x, (0, spare)), functional.pad(weight, (0, spare))
        x, weight = x.contiguous(), weight.contiguous()
    return functional.linear(x, weight, bias)


ALIGNMENT = 16
"""Numbers in the widest register there is (512 bits of float32)."""


class Stack(nn.Module):
    """Linear layers with an activation (and normalisation, and dropout) between them; none after the last."""

    def __init__(
        self, widths: Sequence[int], activation_name: str = "relu", norm: str | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.activation_name = activation_name
        self.linears = nn.ModuleList(linear(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(NORMS[norm](width) for width in widths[1:-1]) if norm else None
        self.dropout = Dropout(dropout)
        self.function = activation(activation_name).function
        self.skips_zeros = False
        """Whether in training the first product goes over what is not 0 in the input; for rows that are mostly 0."""

    @property
    def weights(self) -> list[Tensor]:
        """The weight matrices, (out, in) each, from input to output."""
        return [layer.weight for layer in self.linears]  # type: ignore[misc]

    @property
    def biases(self) -> list[Tensor]:
        """The biases, (out,) each, from input to output."""
        return [layer.bias for layer in self.linears]  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        """(B, first width) to (B, last width)."""
        last = len(self.linears) - 1
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if depth == 0 and self.skips_zeros and self.training and not x.requires_grad:
                x = sparse_affine.affine(x, weight, bias)
            else:
                x = affine(x, weight, bias, self.training)
            if depth < last:
                if self.norms is not None:
                    x = self.norms[depth](x)
                x = self.dropout(self.function(x))
        return x


class TiedStack(nn.Module):
    """A decoder whose weight matrices are those of an encoder's `Stack`, transposed; its biases are its own."""

    norms = None

    def __init__(self, encoder: Stack) -> None:
        super().__init__()
        # In a list, so that the encoder's weights are not registered (and saved) a second time.
        self.source = [encoder]
        self.own_biases = nn.ParameterList(torch.zeros(weight.shape[1]) for weight in reversed(encoder.weights))
        self.activation_name = encoder.activation_name
        self.dropout = Dropout(encoder.dropout.rate)
        self.function = encoder.function

    @property
    def weights(self) -> list[Tensor]:
        """The encoder's matrices, transposed, from code to output."""
        return [weight.T for weight in reversed(self.source[0].weights)]

    @property
    def biases(self) -> list[Tensor]:
        """The biases, (out,) each, from code to output."""
        return list(self.own_biases)

    def forward(self, z: Tensor) -> Tensor:
        """(B, code size) to (B, outputs)."""
        last = len(self.own_biases) - 1
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = affine(z, weight, bias, self.training)
            if depth < last:
                z = self.dropout(self.function(z))
        return z
