"""Buffers: memory for the matrices of a training step, allocated once for each number of rows."""

from typing import Generic, NamedTuple

from torch import Tensor

from isthmus.engine.fast.matmul import MatmulBackend, Operand

SHARED, EVEN = 2**15, 2**11
"""Threads share elementwise work on more than `SHARED` numbers; they share a multiple of `EVEN` in whole registers.

A remainder that fills no register would be computed by other instructions, which may round differently.
"""


class Buffer(NamedTuple, Generic[Operand]):
    """Memory for a matrix, also as a vector whose length threads share evenly."""

    matrix: Tensor
    """(B, width)."""
    vector: Tensor
    """The same memory as a vector, with a few more numbers where threads share it."""
    operand: Operand
    """The matrix as the matmul backend takes it."""
    transposed: Operand
    """The transposed matrix as the matmul backend takes it."""
    backend: MatmulBackend[Operand]

    def another(self) -> "Buffer[Operand]":
        """Return a new buffer of the same shape and number type."""
        rows, width = self.matrix.shape
        return buffer(rows, width, self.vector, self.backend)


def buffer(rows: int, width: int, like: Tensor, backend: MatmulBackend[Operand]) -> Buffer[Operand]:
    """Return a buffer of zeros for a matrix (rows, width), of the number type and on the device of `like`."""
    count = rows * width
    vector = like.new_zeros(count if count < SHARED else -(-count // EVEN) * EVEN)
    matrix = vector[:count].view(rows, width)
    return Buffer(matrix, vector, backend.operand(matrix), backend.operand(matrix.t()), backend)


class StepBuffers(NamedTuple, Generic[Operand]):
    """The buffers of a step on one number of rows."""

    seen: Buffer[Operand]
    """The encoder's input in bfloat16; empty in other precisions, where the input is used as it comes."""
    before: list[Buffer[Operand]]
    """Each layer's sums, before its activation."""
    after: list[Buffer[Operand]]
    """Each layer's outputs, after its activation; the same memory as `before` where that need not survive."""
    gradients: list[Buffer[Operand]]
    """The gradient in each layer's sums."""
    theta: Buffer[Operand]
    """(B, F) the decoder's outputs, in the precision of the loss."""
    spare: Buffer[Operand]
    """(B, F) free for the loss."""
