"""`WrittenOut`: a step of a plain dense autoencoder with its gradient written out.

In a short step most of the time goes to bookkeeping: a node of the graph for every operation, a tensor for every
gradient, a visit of the optimiser to every weight matrix. Here the gradient is a list of products into memory that is
already there, and the optimiser sees one vector.

The gradient is the same, bit for bit, on one thread and on several, as far as torch's matrix products are: sums over
everything are made row by row, and what is done to every number is done to blocks that threads can share evenly.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.core.sparse_affine import NotZero
from isthmus.engine.fast import count_losses
from isthmus.engine.fast import matmul as makers
from isthmus.engine.fast.matmul import Products, TorchProducts
from isthmus.parts.codes import DeterministicCode
from isthmus.parts.likelihoods import FOLLOWING, LOG_2_PI, BernoulliLikelihood, GaussianLikelihood

ALIGNED = 16
"""Weights begin at multiples of so many numbers, where every instruction can load them."""
SHARED, EVEN = 2**15, 2**11
"""Threads share what has more numbers than the first; a multiple of the second they share evenly, in whole registers.

(A rest that fills no register is computed by other instructions, which may round differently.)
"""

aten = torch.ops.aten
FUNCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": lambda x, out: x,
    "relu": lambda x, out: torch.clamp_min(x, 0, out=x),
    "silu": lambda x, out: aten.silu.out(x, out=out),
    "gelu": lambda x, out: aten.gelu.out(x, out=out),
    "softplus": lambda x, out: aten.softplus.out(x, out=out),
    "elu": lambda x, out: aten.elu.out(x, out=x),
    "tanh": lambda x, out: torch.tanh(x, out=x),
    "sigmoid": lambda x, out: torch.sigmoid(x, out=x),
}
"""Activations, into other memory where the slope asks for the values before them, else over these."""
KEEPING = ("silu", "gelu", "softplus")
SLOPES: dict[str, Callable[[Tensor, Tensor, Tensor], Any]] = {
    "identity": lambda gradient, before, after: None,
    "relu": lambda gradient, before, after: aten.threshold_backward.grad_input(gradient, after, 0, grad_input=gradient),
    "silu": lambda gradient, before, after: aten.silu_backward.grad_input(gradient, before, grad_input=gradient),
    "gelu": lambda gradient, before, after: aten.gelu_backward.grad_input(gradient, before, grad_input=gradient),
    "softplus": lambda gradient, before, after: aten.softplus_backward.grad_input(
        gradient, before, 1, 20, grad_input=gradient
    ),
    "elu": lambda gradient, before, after: aten.elu_backward.grad_input(
        gradient, 1, 1, 1, True, after, grad_input=gradient
    ),
    "tanh": lambda gradient, before, after: aten.tanh_backward.grad_input(gradient, after, grad_input=gradient),
    "sigmoid": lambda gradient, before, after: aten.sigmoid_backward.grad_input(gradient, after, grad_input=gradient),
}
"""The gradient after an activation, turned in place into that before it, from the values before and after."""


def suits(network: nn.Module) -> bool:
    """Whether the network is a chain of dense layers with nothing between and beside them."""
    if not isinstance(network, Network):
        return False
    likelihood, corruption = network.likelihood, network.corruption
    return (
        all(is_plain(stack) for stack in (network.encoder, network.decoder))
        and type(network.code) is DeterministicCode
        and (
            type(likelihood) in (BernoulliLikelihood, *count_losses.LOSSES)
            or (type(likelihood) is GaussianLikelihood and likelihood.mode not in ("learned", "columns"))
        )
        and (corruption is None or not (corruption.marks or corruption.weighs))
        and not network.demands
    )


def is_plain(stack: nn.Module) -> bool:
    """Whether a stack is of linear layers and activations alone."""
    return type(stack) is Stack and stack.norms is None and stack.dropout.rate == 0


class Room(NamedTuple):
    """Memory for a matrix, and the same memory as a vector that threads share evenly."""

    matrix: Tensor
    vector: Tensor
    factor: Any
    """The matrix as products take it."""
    transposed: Any
    """The same, transposed."""


def room(rows: int, width: int, like: Tensor, products: Products) -> Room:
    """Return room for a matrix of zeros."""
    count = rows * width
    vector = like.new_zeros(count if count < SHARED else -(-count // EVEN) * EVEN)
    matrix = vector[:count].view(rows, width)
    return Room(matrix, vector, products.matrix(matrix), products.matrix(matrix.t()))


class Rooms(NamedTuple):
    """Room for a step on a number of rows."""

    seen: Room
    """What the encoder sees, where that is not what comes."""
    befores: list[Room]
    """Every layer's sums."""
    afters: list[Room]
    """What follows on them."""
    slopes: list[Room]
    """The gradient in every layer's sums."""
    theta: Room
    """The decoder's outputs, in the precision of the loss."""
    spare: Room
    """As large."""


class Memory:
    """What a step on a network's weights writes to, in the precision of its products.

    Parameters
    ----------
    written
        The step.
    products
        Who makes the products.
    """

    def __init__(self, written: "WrittenOut", products: Products) -> None:
        self.written = written
        self.products = products
        self.working = torch.zeros_like(written.flat, dtype=torch.bfloat16) if products.halved else written.flat
        self.gradient = torch.zeros_like(self.working) if products.halved else written.slope
        views, slopes = written.parts(self.working), written.parts(self.gradient)
        self.widths = [len(bias) for bias in views[1::2]]
        self.weights, self.biases = ([products.matrix(view) for view in views[start::2]] for start in (0, 1))
        self.transposed = [products.matrix(weight.t()) for weight in views[::2]]
        self.weight_slopes, self.bias_slopes = [products.matrix(slope) for slope in slopes[::2]], slopes[1::2]
        self.rooms: dict[int, Rooms] = {}

    def rooms_for(self, rows: int) -> "Rooms":
        """Return the same rooms in every step on so many rows; those of two sizes of a batch are kept."""
        if rows not in self.rooms:
            if len(self.rooms) > 1:
                self.rooms.clear()
            befores, slopes = ([self.room(rows, width) for width in self.widths] for _ in range(2))
            afters = [
                self.room(rows, width) if name in KEEPING else before
                for name, width, before in zip(self.written.names, self.widths, befores, strict=False)
            ]
            seen, theta = self.room(0, 0), befores[-1]
            if self.products.halved:
                seen, theta = self.room(rows, self.weights[0].shape[1]), self.output_room(rows)
            self.rooms[rows] = Rooms(seen, befores, afters, slopes, theta, self.output_room(rows))
        return self.rooms[rows]

    def room(self, rows: int, width: int) -> Room:
        """Return room for a matrix in the precision of the products."""
        return room(rows, width, self.working, self.products)

    def output_room(self, rows: int) -> Room:
        """Return room for the decoder's outputs in the precision of the loss."""
        return room(rows, self.widths[-1], self.written.flat, self.products)


class WrittenOut:
    """The weights of a network in one vector, and what a step needs to find their gradient.

    Until `release` the network's weights are parts of that vector.

    Parameters
    ----------
    network
        One that `suits`.
    halved
        Whether products are made in bfloat16; weights, loss and optimiser stay as they are.
    products
        Who makes those that are not.
    """

    def __init__(self, network: Network, halved: bool, products: Products | None = None) -> None:
        self.network = network
        self.products = products or TorchProducts()
        self.threads = 1
        stacks: list[Any] = [network.encoder, network.decoder]
        self.parameters = [
            p for stack in stacks for pair in zip(stack.weights, stack.biases, strict=True) for p in pair
        ]
        first = self.parameters[0]
        self.starts, size = [], 0
        for parameter in self.parameters:
            self.starts.append(size)
            size += -(-parameter.numel() // ALIGNED) * ALIGNED
        self.flat = torch.zeros(size, dtype=first.dtype, device=first.device)
        self.slope = torch.zeros_like(self.flat)
        for view, parameter in zip(self.parts(self.flat), self.parameters, strict=True):
            view.copy_(parameter.data)
            parameter.data = view
        depths = [len(stack.weights) for stack in stacks]
        code: Any = network.code
        self.names = [stacks[0].activation_name] * (depths[0] - 1) + [code.activation]
        self.names += [stacks[1].activation_name] * (depths[1] - 1)
        self.memories: dict[tuple[bool, type[Products]], Memory] = {}
        self.halve(halved)

    def halve(self, halved: bool) -> None:
        """Make products in bfloat16 from now on, or in the weights' own precision."""
        self.halved = halved
        products = self.products if self.threads == 1 and not halved else TorchProducts(halved)
        key = halved, type(products)
        if key not in self.memories:
            self.memories[key] = Memory(self, products)
        self.memory = self.memories[key]

    def use_threads(self, count: int) -> None:
        """Take steps on so many threads from now on; on several, torch makes the products."""
        self.threads = count
        self.halve(self.halved)

    def parts(self, vector: Tensor) -> list[Tensor]:
        """Return the stretch of a vector that belongs to each parameter, in its shape."""
        return [
            vector[start : start + parameter.numel()].view(parameter.shape)
            for start, parameter in zip(self.starts, self.parameters, strict=True)
        ]

    def release(self) -> None:
        """Give every weight memory of its own again."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None

    def step(self, x: Tensor) -> Tensor:
        """Write the gradient of the mean loss over the rows x (B, F); return a number that `losses` makes a loss of.

        (Nothing here asks for a gradient by autograd, so that none has to be turned off, which takes its time too.)
        """
        corruption, memory = self.network.corruption, self.memory
        products = memory.products
        seen, befores, afters, slopes, theta, spare = memory.rooms_for(len(x))
        h = self.network.likelihood.encoder_input(x if corruption is None else corruption(x).x)
        if self.halved:
            memory.working.copy_(self.flat)
            h = seen.matrix.copy_(h)
        inputs, last = [products.matrix(h)], len(self.names)
        first: Any = self.network.encoder
        found = NotZero.of(h) if first.skips_zeros and not self.halved else None
        for depth, before in enumerate(befores):
            if depth == 0 and found is not None:
                before.matrix.copy_(found.affine(first.weights[0], first.biases[0]))
            else:
                products.affine(inputs[-1], memory.transposed[depth], memory.biases[depth], before.factor)
            if depth < last:
                FUNCTIONS[self.names[depth]](before.vector, afters[depth].vector)
                inputs.append(afters[depth].factor)
        if self.halved:
            theta.matrix.copy_(befores[-1].matrix)
        figure, gradient = self.judged(x, theta, spare)
        if self.halved:
            slopes[-1].matrix.copy_(gradient.matrix)
            gradient = slopes[-1]
        for depth in range(last, -1, -1):
            if depth == 0 and found is not None:
                found.weight_slope(gradient.matrix, self.parts(self.slope)[0])
            else:
                products.multiply(gradient.transposed, inputs[depth], memory.weight_slopes[depth])
            torch.sum(gradient.matrix, 0, out=memory.bias_slopes[depth])
            if depth > 0:
                slope = slopes[depth - 1]
                products.multiply(gradient.factor, memory.weights[depth], slope.factor)
                SLOPES[self.names[depth - 1]](slope.vector, befores[depth - 1].vector, afters[depth - 1].vector)
                gradient = slope
        if self.halved:
            self.slope.copy_(memory.gradient)
        return figure

    def judged(self, x: Tensor, theta: Room, spare: Room) -> tuple[Tensor, Room]:
        """Return what `losses` takes, and the gradient of the mean loss in the decoder's outputs (B, F).

        Both rooms, the outputs' and a spare one, may be written over.
        """
        likelihood: Any = self.network.likelihood
        rows = len(x)
        if type(likelihood) is BernoulliLikelihood:
            # -log p = Σ log(1 + e^θ) - xθ
            aten.softplus.out(theta.vector, out=spare.vector)
            figure = (spare.matrix.sum(1) - torch.linalg.vecdot(x, theta.matrix)).sum() / rows
            torch.sigmoid(theta.vector, out=theta.vector)
            theta.matrix.sub_(x).div_(rows)
            return figure, theta
        if type(likelihood) in count_losses.LOSSES:
            return count_losses.LOSSES[type(likelihood)](x, theta, spare), spare
        name = likelihood.activation
        if name == "identity":
            mean = gradient = theta
        else:
            mean = theta if FUNCTIONS[name](theta.vector, spare.vector) is theta.vector else spare
            gradient = spare if mean is theta else self.memory.output_room(rows)
        difference = torch.sub(mean.matrix, x, out=gradient.matrix)
        errors = torch.linalg.vector_norm(difference, dim=1)
        squared = torch.dot(errors, errors) / difference.numel()
        if likelihood.mode == "optimal":
            difference.div_(squared.clamp_min(likelihood.floor).mul_(rows))
        else:
            difference.mul_(1 / (likelihood.mode * rows))
        SLOPES[name](difference, theta.matrix, mean.matrix)
        return squared, gradient

    def losses(self, figures: Tensor) -> Tensor:
        """Return the mean -log p(x|z) of each batch, (batches,), from what its step returned."""
        likelihood: Any = self.network.likelihood
        if type(likelihood) is not GaussianLikelihood:
            return figures
        variance = figures.clamp_min(likelihood.floor) if likelihood.mode == "optimal" else likelihood.variance
        return 0.5 * likelihood.features * (figures / variance + torch.log(variance) + LOG_2_PI)

    def follow(self, figures: Tensor) -> None:
        """Bring an optimal variance to where batch after batch would have brought it, as `common_variance` does."""
        likelihood: Any = self.network.likelihood
        if type(likelihood) is GaussianLikelihood and likelihood.mode == "optimal":
            variances = figures.clamp_min(likelihood.floor).to(likelihood.variance)
            ages = torch.arange(len(figures) - 1, -1, -1).to(variances)
            likelihood.variance.mul_((1 - FOLLOWING) ** len(figures)).add_(
                FOLLOWING * (1 - FOLLOWING) ** ages @ variances
            )


def of(network: nn.Module, precision: str, weighted: bool, maker: str = "torch") -> WrittenOut | None:
    """Return the written-out step of a network, or None where it has to be left to autograd.

    Products that are not in bfloat16 are made by "torch" or "numpy", or by "auto" whoever is faster.
    """
    if weighted or not suits(network) or torch.is_anomaly_enabled():
        return None
    if not all_there(network.parameters()):
        return None
    assert isinstance(network, Network)
    return WrittenOut(network, precision == "bfloat16", makers.of(maker, next(network.parameters()).device))


def all_there(parameters: Iterable[nn.Parameter]) -> bool:
    """Whether all weights are trained, in one number type and on one device."""
    found = list(parameters)
    kinds = {(p.dtype, p.device) for p in found}
    return len(kinds) == 1 and all(p.requires_grad for p in found)
