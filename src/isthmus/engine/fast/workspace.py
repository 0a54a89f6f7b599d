"""`Workspace`: the forward and backward pass of a plain dense autoencoder, written out for one matmul backend.

In a short step by autograd most of the time goes to bookkeeping: a node of the graph for every operation, a tensor for
every gradient, a visit of the optimiser to every weight matrix. Here the gradient is a list of matrix products into
existing memory, and the optimiser sees one vector.

The gradient has the same bits on one thread and on several, as far as torch's matrix products do: sums over all cells
are made row by row, and elementwise work is done on blocks that threads share evenly.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple

import torch
from torch import Tensor

from isthmus.core.corruption import CorruptionModule
from isthmus.core.modules import Stack
from isthmus.core.sparse_affine import NonZeros
from isthmus.engine.fast.activations import DERIVATIVES, FUNCTIONS, KEEP_INPUT
from isthmus.engine.fast.buffers import Buffer, StepBuffers, buffer
from isthmus.engine.fast.flat_weights import FlatWeights
from isthmus.engine.fast.loss_kernel import LossKernel
from isthmus.engine.fast.matmul import MatmulBackend, Operand


class DenseAutoencoder(NamedTuple):
    """The parts of a plain dense autoencoder."""

    stacks: tuple[Stack, ...]
    """The layers that are trained: encoder and decoder, or the decoder behind an encoder that is fixed."""
    activations: list[str]
    """The activation after each of these layers but the last, from input to output."""
    corruption: CorruptionModule | None
    first_input: Callable[[Tensor], Tensor]
    """What the first of these layers sees of rows (B, F), (B, inputs)."""
    loss: LossKernel


class Workspace(Generic[Operand]):
    """The passes of a training step in one precision by one matmul backend, and the memory that they write to.

    Parameters
    ----------
    parts
        The parts of the network.
    flat
        Its weights.
    backend
        Multiplies the matrices. In bfloat16 the weights are copied to bfloat16 in every step; the weights, the loss and
        the optimiser keep their own precision.
    """

    def __init__(self, parts: DenseAutoencoder, flat: FlatWeights, backend: MatmulBackend[Operand]) -> None:
        self.parts = parts
        self.flat = flat
        self.backend = backend
        self.bfloat16 = backend.bfloat16
        self.working = torch.zeros_like(flat.vector, dtype=torch.bfloat16) if self.bfloat16 else flat.vector
        self.gradient = torch.zeros_like(self.working) if self.bfloat16 else flat.gradient
        weights, gradients = flat.split(self.working), flat.split(self.gradient)
        self.widths = [len(bias) for bias in weights[1::2]]
        self.weights = [backend.operand(weight) for weight in weights[::2]]
        self.biases = [backend.operand(bias) for bias in weights[1::2]]
        self.transposed = [backend.operand(weight.t()) for weight in weights[::2]]
        self.weight_gradients = [backend.operand(gradient) for gradient in gradients[::2]]
        self.bias_gradients = gradients[1::2]
        self.buffers: dict[int, StepBuffers[Operand]] = {}

    def buffers_for(self, rows: int) -> StepBuffers[Operand]:
        """Return the buffers of a step on so many rows; those of two batch sizes are kept."""
        if rows not in self.buffers:
            if len(self.buffers) > 1:
                self.buffers.clear()
            before, gradients = ([self.buffer(rows, width) for width in self.widths] for _ in range(2))
            after = [
                self.buffer(rows, width) if name in KEEP_INPUT else same
                for name, width, same in zip(self.parts.activations, self.widths, before, strict=False)
            ]
            seen, theta = self.buffer(0, 0), before[-1]
            if self.bfloat16:
                seen, theta = self.buffer(rows, self.parts.stacks[0].weights[0].shape[1]), self.output_buffer(rows)
            self.buffers[rows] = StepBuffers(seen, before, after, gradients, theta, self.output_buffer(rows))
        return self.buffers[rows]

    def buffer(self, rows: int, width: int) -> Buffer[Operand]:
        """Return a buffer in the precision of the matrix products."""
        return buffer(rows, width, self.working, self.backend)

    def output_buffer(self, rows: int) -> Buffer[Operand]:
        """Return a buffer for the decoder's outputs in the precision of the loss."""
        return buffer(rows, self.widths[-1], self.flat.vector, self.backend)

    def step(self, x: Tensor) -> Tensor:
        """Write the gradient of the mean loss over the rows x (B, F); return what `LossKernel.losses` takes.

        No operation here records a graph, so autograd need not be switched off, which would take time as well.
        """
        parts, backend, names = self.parts, self.backend, self.parts.activations
        seen, before, after, gradients, theta, spare = self.buffers_for(len(x))
        visible, cells = x, None
        if parts.corruption is not None:
            visible, _, cells = parts.corruption(x)
        h = parts.first_input(visible)
        if self.bfloat16:
            self.working.copy_(self.flat.vector)
            h = seen.matrix.copy_(h)
        inputs, last = [backend.operand(h)], len(names)
        first = parts.stacks[0]
        nonzeros = NonZeros.of(h) if first.skips_zeros and not self.bfloat16 else None
        for depth, sums in enumerate(before):
            if depth == 0 and nonzeros is not None:
                sums.matrix.copy_(nonzeros.affine(first.weights[0], first.biases[0]))
            else:
                backend.affine(inputs[-1], self.transposed[depth], self.biases[depth], sums.operand)
            if depth < last:
                FUNCTIONS[names[depth]](sums.vector, after[depth].vector)
                inputs.append(after[depth].operand)
        if self.bfloat16:
            theta.matrix.copy_(before[-1].matrix)
        value, gradient = parts.loss(x, theta, spare, cells)
        if self.bfloat16:
            gradients[-1].matrix.copy_(gradient.matrix)
            gradient = gradients[-1]
        for depth in range(last, -1, -1):
            if depth == 0 and nonzeros is not None:
                nonzeros.weight_gradient(gradient.matrix, self.flat.split(self.flat.gradient)[0])
            else:
                backend.multiply(gradient.transposed, inputs[depth], self.weight_gradients[depth])
            torch.sum(gradient.matrix, 0, out=self.bias_gradients[depth])
            if depth > 0:
                below = gradients[depth - 1]
                backend.multiply(gradient.operand, self.weights[depth], below.operand)
                DERIVATIVES[names[depth - 1]](below.vector, before[depth - 1].vector, after[depth - 1].vector)
                gradient = below
        if self.bfloat16:
            self.flat.gradient.copy_(self.gradient)
        return value
