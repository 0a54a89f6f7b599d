"""Matmul backends: which library multiplies the matrices of a fused step, and in which precision.

On a processor torch multiplies by MKL, which uses no 512-bit instructions on processors that are not Intel's; numpy
multiplies by OpenBLAS as a rule, which does. On a core of AMD's Zen 5 MKL makes 110 billion operations per second and
OpenBLAS 240, and small products take half the time; on Zen 4 they are equally fast. Which one is faster here is
measured once per process where no seed is given. The two round differently: with a seed the kind of processor decides.
"""

import functools
import time
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from isthmus.core.blas import BLAS_THREADS
from isthmus.core.choices import refuse_unknown
from isthmus.core.torch_threads import threads
from isthmus.engine.fast.processor import is_zen_5

BACKENDS = ("auto", "torch", "numpy")
GAIN = 1.05
"""How many times faster than torch numpy must be to be chosen."""
SHAPE = 128, 784, 128
"""Rows, inner size and columns of the product that is timed."""
TRIES = 12
TOLERANCE = 1e-4
"""The relative difference allowed between the two in a product of numbers in [0, 1]."""

Operand = TypeVar("Operand")
"""A matrix as a backend takes it: a tensor or an array."""


class MatmulBackend(Protocol[Operand]):
    """Multiplies matrices into existing memory."""

    bfloat16: bool
    """Whether it multiplies in bfloat16."""

    def operand(self, tensor: Tensor) -> Operand:
        """Return a tensor as the other methods take it, in the same memory."""
        ...

    def affine(self, x: Operand, transposed: Operand, bias: Operand, out: Operand) -> None:
        """Write x Wᵀ + b to `out`."""

    def multiply(self, a: Operand, b: Operand, out: Operand) -> None:
        """Write a b to `out`."""


class TorchMatmul(MatmulBackend[Tensor]):
    """Products by torch, on any device.

    Parameters
    ----------
    bfloat16
        Whether the matrices it is given are bfloat16.
    """

    def __init__(self, bfloat16: bool = False) -> None:
        self.bfloat16 = bfloat16

    def operand(self, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor

    def affine(self, x: Tensor, transposed: Tensor, bias: Tensor, out: Tensor) -> None:
        """Write x Wᵀ + b to `out`."""
        torch.addmm(bias, x, transposed, out=out)

    def multiply(self, a: Tensor, b: Tensor, out: Tensor) -> None:
        """Write a b to `out`."""
        torch.mm(a, b, out=out)


class NumpyMatmul(MatmulBackend[np.ndarray]):
    """Products by numpy, on the processor, for steps on one thread.

    On several threads the two libraries would compete: torch's threads wait busily for their next work, and numpy's
    threads, which are others, would share the cores with them.
    """

    bfloat16 = False

    def operand(self, tensor: Tensor) -> np.ndarray:
        """Return an array in the tensor's memory."""
        return tensor.numpy()

    def affine(self, x: np.ndarray, transposed: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
        """Write x Wᵀ + b to `out`."""
        np.matmul(x, transposed, out=out)
        np.add(out, bias, out=out)

    def multiply(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Write a b to `out`."""
        np.matmul(a, b, out=out)


def backend_name(name: str, device: torch.device) -> str:
    """Return the name, if it is one of `BACKENDS` that works on the device.

    Raises
    ------
    ValueError
        If the name is unknown, or if it is "numpy" and the device is not the processor.
    """
    refuse_unknown("matmul", name, BACKENDS)
    if name == "numpy" and device.type != "cpu":
        raise ValueError(f"matmul='numpy' works on the processor, not on device={str(device)!r}; take 'auto'")
    return name


def numpy_is_chosen(name: str, device: torch.device, repeatable: bool = False) -> bool:
    """Whether numpy multiplies matrices: if `name` is "numpy", or "auto" and numpy is faster on this processor.

    If `repeatable`, no clock decides: numpy is taken on the processors on which it was found far faster.
    """
    if name != "auto" or device.type != "cpu":
        return name == "numpy"
    return is_zen_5() and agree() if repeatable else numpy_gain() >= GAIN


@functools.cache
def numpy_gain() -> float:
    """Return how many times faster than torch numpy is on one thread, best of a dozen each; 0 if they disagree."""
    if not agree():
        return 0.0
    a, b, out = factors()
    torch_seconds = numpy_seconds = float("inf")
    with threads(1), BLAS_THREADS.held():
        for _ in range(TRIES):
            torch_seconds = min(torch_seconds, seconds(TorchMatmul(), a, b, out))
            numpy_seconds = min(numpy_seconds, seconds(NumpyMatmul(), a, b, out))
    return torch_seconds / numpy_seconds


@functools.cache
def agree() -> bool:
    """Whether torch and numpy multiply to the same result but for rounding."""
    a, b, by_torch = factors()
    by_numpy = torch.empty_like(by_torch)
    TorchMatmul().multiply(a, b, by_torch)
    NumpyMatmul().multiply(a.numpy(), b.numpy(), by_numpy.numpy())
    return torch.allclose(by_torch, by_numpy, rtol=TOLERANCE)


def factors() -> tuple[Tensor, Tensor, Tensor]:
    """Return two matrices of numbers in [0, 1], and memory for their product."""
    rows, inner, columns = SHAPE
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(rows, inner, generator=generator), torch.rand(inner, columns, generator=generator)
    return a, b, torch.empty(rows, columns)


def seconds(backend: MatmulBackend[Operand], a: Tensor, b: Tensor, out: Tensor) -> float:
    """Return how long a backend takes to write a b to `out`."""
    left, right, result = backend.operand(a), backend.operand(b), backend.operand(out)
    start = time.perf_counter()
    backend.multiply(left, right, result)
    return time.perf_counter() - start
