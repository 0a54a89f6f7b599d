"""Layers: activations and their properties, fully connected stacks, dropout from a local generator."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from isthmus.core import sparse_affine
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Backbone, Stochastic


class Activation(NamedTuple):
    """An elementwise function a(x), and the interval in which it is nearly a straight line."""

    function: Callable[[Tensor], Tensor]
    splits: bool
    """Whether a(x) - a(-x) = x, so that a layer of twice the width carries any linear map exactly."""
    centre: float
    """Middle of the interval in which a is nearest to a straight line."""
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
    """Return the activation called `name`; a `ValueError` lists the known names if there is none."""
    refuse_unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def inverse(name: str, y: Tensor) -> Tensor:
    """Return x with a(x) nearest to y, away from where the activation is flat (a sigmoid within 0.001 of 0 or 1)."""
    if name == "sigmoid":
        return torch.logit(y, eps=1e-3)
    if name == "tanh":
        return torch.atanh(y.clamp(-0.999, 0.999))
    if name == "elu":
        return torch.where(y > 0, y, torch.log1p(y.clamp_min(-0.999)))
    if name == "softplus":
        y = y.clamp_min(1e-3)
        return y + torch.log(-torch.expm1(-y))
    # relu is its own inverse where it is not flat; silu and gelu nearly are, for positive numbers.
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
    """Return a linear layer without initialised weights."""
    # torch's own constructor would draw them from the global generator.
    return nn.utils.skip_init(nn.Linear, inputs, outputs)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None, training: bool) -> Tensor:
    """Return x Wᵀ + b; outside training a row gets the same bits wherever in the batch it is.

    A matrix product handles several rows at once, with instructions that depend on the alignment of a row in memory.
    Padding rows to a multiple of `ALIGNMENT` aligns them all.
    """
    if not training:
        spare = -x.shape[1] % ALIGNMENT
        if spare:
            x, weight = functional.pad(x, (0, spare)), functional.pad(weight, (0, spare))
        x, weight = x.contiguous(), weight.contiguous()
    return functional.linear(x, weight, bias)


ALIGNMENT = 16
"""Numbers in the widest register (512 bits of float32)."""


class Stack(Backbone):
    """Linear layers with an activation (and normalisation, and dropout) between them, and none after the last.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden widths, outputs.
    activation_name : str
        The activation after every hidden layer.
    norm : {"batch", "layer"}, optional
        Normalisation before every activation.
    dropout : float
        Probability in [0, 1) with which a hidden unit is zeroed in training.
    """

    def __init__(
        self, widths: Sequence[int], activation_name: str = "relu", norm: str | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.activation_name = activation_name
        self.linears = nn.ModuleList(linear(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(NORMS[norm](width) for width in widths[1:-1]) if norm else None
        self.dropout = Dropout(dropout)
        self.function = activation(activation_name).function
        self.normalised = norm is not None
        self.skips_zeros = False
        """Whether the first product in training uses only the non-zero inputs; for rows that are mostly 0."""

    @property
    def weights(self) -> list[Tensor]:
        """The weight matrices, (out, in) each, from input to output."""
        return [layer.weight for layer in self.linears]  # type: ignore[misc]

    @property
    def biases(self) -> list[Tensor]:
        """The biases, (out,) each, from input to output."""
        return [layer.bias for layer in self.linears]  # type: ignore[misc]

    def initialise(self, method: str, generator: Generator) -> None:
        """Write orthogonal matrices and zero biases, or ("torch") what `torch.nn.Linear` starts with."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if method == "torch":
                bound = weight.shape[1] ** -0.5
                nn.init.uniform_(weight, -bound, bound, generator=generator)
                nn.init.uniform_(bias, -bound, bound, generator=generator)
            else:
                nn.init.orthogonal_(weight, generator=generator)
                nn.init.zeros_(bias)

    def centre_inputs(self, mean: Tensor) -> None:
        """Make the first layer see rows minus `mean`, unless a normalisation centres them anyway."""
        if not self.normalised:
            first = self.weights[0]
            self.biases[0].copy_(-first[:, : len(mean)] @ mean.to(first))

    def set_output_bias(self, bias: Tensor) -> None:
        """Make the outputs start at `bias` (outputs,)."""
        self.biases[-1].copy_(bias)

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


class FixedComponents(Backbone):
    """Principal components as one layer that is written at the start and never trained: z = Pᵀ(x - m).

    Coordinates beyond the rank of the rows stay 0.

    Parameters
    ----------
    features, outputs : int
        F and K.
    """

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        # Buffers: they belong to the model, but not to what an optimiser sees.
        self.weight: Tensor = nn.Buffer(torch.zeros(outputs, features))
        self.bias: Tensor = nn.Buffer(torch.zeros(outputs))

    @property
    def weights(self) -> list[Tensor]:
        """The components, [(K, F)]."""
        return [self.weight]

    @property
    def biases(self) -> list[Tensor]:
        """Minus the coordinates of the mean, [(K,)]."""
        return [self.bias]

    def initialise(self, method: str, generator: Generator) -> None:
        """Write zeros, over which the start at PCA writes the components."""
        self.weight.zero_()
        self.bias.zero_()

    def centre_inputs(self, mean: Tensor) -> None:
        """Refuse to stand in a network that cannot start at PCA."""
        raise ValueError(
            "the encoder Principal holds principal components, at which this network cannot start: take "
            "encoder='dense', for which history_.init says why"
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, F) to (B, K)."""
        return affine(x, self.weight, self.bias, self.training)


class TiedStack(Backbone):
    """A decoder whose weight matrices are the transposes of an encoder's; its biases are its own."""

    tied = True

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

    def initialise(self, method: str, generator: Generator) -> None:
        """Write zero biases, or ("torch") the biases that `torch.nn.Linear` starts with; the matrices are not ours."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if method == "torch":
                bound = weight.shape[1] ** -0.5
                nn.init.uniform_(bias, -bound, bound, generator=generator)
            else:
                nn.init.zeros_(bias)

    def set_output_bias(self, bias: Tensor) -> None:
        """Make the outputs start at `bias` (outputs,)."""
        self.biases[-1].copy_(bias)

    def forward(self, z: Tensor) -> Tensor:
        """(B, code size) to (B, outputs)."""
        last = len(self.own_biases) - 1
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = affine(z, weight, bias, self.training)
            if depth < last:
                z = self.dropout(self.function(z))
        return z
