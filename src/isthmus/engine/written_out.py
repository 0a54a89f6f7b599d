"""`WrittenOut`: a step of a plain dense autoencoder with its gradient written out.

In a short step most of the time goes to bookkeeping: a node of the graph for every operation, a tensor for every
gradient, a visit of the optimiser to every weight matrix. Here the gradient is a list of products into memory that is
already there, and the optimiser sees one vector.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.core.modules import Stack, activation
from isthmus.core.network import Network
from isthmus.parts.codes import DeterministicCode
from isthmus.parts.likelihoods import LOG_2_PI, BernoulliLikelihood, GaussianLikelihood

ALIGNED = 16
"""Weights begin at multiples of so many numbers, where every instruction can load them."""

aten = torch.ops.aten
SLOPES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "identity": lambda gradient, before, after: gradient,
    "relu": lambda gradient, before, after: aten.threshold_backward(gradient, after, 0),
    "silu": lambda gradient, before, after: aten.silu_backward(gradient, before),
    "gelu": lambda gradient, before, after: aten.gelu_backward(gradient, before),
    "softplus": lambda gradient, before, after: aten.softplus_backward(gradient, before, 1, 20),
    "elu": lambda gradient, before, after: aten.elu_backward(gradient, 1, 1, 1, True, after),
    "tanh": lambda gradient, before, after: aten.tanh_backward(gradient, after),
    "sigmoid": lambda gradient, before, after: aten.sigmoid_backward(gradient, after),
}
"""The gradient before an activation, from that after it and the values before and after."""
IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda before: before,
    "relu": torch.relu_,
    "elu": lambda before: functional.elu_(before),
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
}
"""Activations whose slope is known from the value after them, so that the one before can be written over."""


def suits(network: nn.Module) -> bool:
    """Whether the network is a chain of dense layers with nothing between and beside them."""
    if not isinstance(network, Network):
        return False
    likelihood, corruption = network.likelihood, network.corruption
    return (
        all(is_plain(stack) for stack in (network.encoder, network.decoder))
        and type(network.code) is DeterministicCode
        and (
            type(likelihood) is BernoulliLikelihood
            or (type(likelihood) is GaussianLikelihood and likelihood.mode != "learned")
        )
        and (corruption is None or not (corruption.marks or corruption.weighs))
        and not network.demands
    )


def is_plain(stack: nn.Module) -> bool:
    """Whether a stack is of linear layers and activations alone."""
    return type(stack) is Stack and stack.norms is None and stack.dropout.rate == 0


class WrittenOut:
    """The weights of a network in one vector, and what a step needs to find their gradient.

    Until `release` the network's weights are parts of that vector.

    Parameters
    ----------
    network
        One that `suits`.
    halved
        Whether products are made in bfloat16; weights, loss and optimiser stay as they are.
    """

    def __init__(self, network: Network, halved: bool) -> None:
        self.network = network
        stacks: list[Any] = [network.encoder, network.decoder]
        self.parameters = [
            p for stack in stacks for pair in zip(stack.weights, stack.biases, strict=True) for p in pair
        ]
        first = self.parameters[0]
        starts, size = [], 0
        for parameter in self.parameters:
            starts.append(size)
            size += -(-parameter.numel() // ALIGNED) * ALIGNED
        self.flat = torch.zeros(size, dtype=first.dtype, device=first.device)
        self.slope = torch.zeros_like(self.flat)
        working = torch.bfloat16 if halved else first.dtype
        self.working = torch.zeros_like(self.flat, dtype=working) if halved else self.flat
        self.gradient = torch.zeros_like(self.working) if halved else self.slope
        self.views = [self.part(self.working, s, p) for s, p in zip(starts, self.parameters, strict=True)]
        self.slopes = [self.part(self.gradient, s, p) for s, p in zip(starts, self.parameters, strict=True)]
        for start, parameter in zip(starts, self.parameters, strict=True):
            view = self.part(self.flat, start, parameter)
            view.copy_(parameter.data)
            parameter.data = view
        depths = [len(stack.weights) for stack in stacks]
        code: Any = network.code
        self.names = [stacks[0].activation_name] * (depths[0] - 1) + [code.activation]
        self.names += [stacks[1].activation_name] * (depths[1] - 1)
        self.functions = [IN_PLACE.get(name, activation(name).function) for name in self.names]
        self.halved = halved
        self.room: list[Tensor] = []

    @staticmethod
    def part(vector: Tensor, start: int, parameter: Tensor) -> Tensor:
        """Return the stretch of a vector that belongs to a parameter, in its shape."""
        return vector[start : start + parameter.numel()].view(parameter.shape)

    def release(self) -> None:
        """Give every weight memory of its own again."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None

    def rooms(self, rows: int) -> list[Tensor]:
        """Return memory for the outputs of every layer, (rows, width) each, the same in every step."""
        if not self.room or len(self.room[0]) < rows:
            widths = [bias.numel() for bias in self.parameters[1::2]]
            self.room = [self.working.new_empty(rows, width) for width in widths]
        return [room[:rows] for room in self.room]

    @torch.no_grad()
    def step(self, x: Tensor) -> Tensor:
        """Write the gradient of the mean over the rows x (B, F); return their mean -log p(x|z), a number."""
        corruption = self.network.corruption
        h = x if corruption is None else corruption(x).x
        if self.halved:
            self.working.copy_(self.flat)
            h = h.to(torch.bfloat16)
        befores, afters, rooms = [], [h], self.rooms(len(x))
        last = len(self.names)
        for depth in range(last + 1):
            h = torch.addmm(self.views[2 * depth + 1], afters[-1], self.views[2 * depth].t(), out=rooms[depth])
            if depth < last:
                befores.append(h)
                afters.append(self.functions[depth](h))
        loss, gradient = self.judged(x, h.to(x.dtype))
        gradient = gradient.to(h.dtype)
        for depth in range(last, -1, -1):
            torch.mm(gradient.t(), afters[depth], out=self.slopes[2 * depth])
            torch.sum(gradient, 0, out=self.slopes[2 * depth + 1])
            if depth > 0:
                gradient = torch.mm(gradient, self.views[2 * depth])
                gradient = SLOPES[self.names[depth - 1]](gradient, befores[depth - 1], afters[depth])
        if self.halved:
            self.slope.copy_(self.gradient)
        return loss

    def judged(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean of -log p(x|z) over the rows, and its gradient in the decoder's outputs (B, F).

        The outputs may be written over.
        """
        likelihood: Any = self.network.likelihood
        rows = len(x)
        if type(likelihood) is BernoulliLikelihood:
            loss = functional.binary_cross_entropy_with_logits(theta, x, reduction="sum") / rows
            return loss, torch.sigmoid(theta).sub_(x).div_(rows)
        if likelihood.activation == "identity":
            mean = difference = theta.sub_(x)
        else:
            mean = likelihood.function(theta)
            difference = mean - x
        squared = torch.dot(difference.view(-1), difference.view(-1)) / difference.numel()
        variance = likelihood.common_variance(squared[None], None).to(squared)
        loss = 0.5 * likelihood.features * (squared / variance + torch.log(variance) + LOG_2_PI)
        gradient = difference.mul_(1 / (variance * rows))
        return loss, SLOPES[likelihood.activation](gradient, theta, mean)


def of(network: Network, precision: str, weighted: bool) -> WrittenOut | None:
    """Return the written-out step of a network, or None where it has to be left to autograd."""
    if weighted or not suits(network) or torch.is_anomaly_enabled():
        return None
    if not all_there(network.parameters()):
        return None
    return WrittenOut(network, precision == "bfloat16")


def all_there(parameters: Iterable[nn.Parameter]) -> bool:
    """Whether all weights are trained, in one number type and on one device."""
    found = list(parameters)
    kinds = {(p.dtype, p.device) for p in found}
    return len(kinds) == 1 and all(p.requires_grad for p in found)
