"""Who makes the matrix products of a written-out step, and in which precision.

torch's products on a processor are MKL's, which uses no 512-bit instructions on other processors than Intel's; numpy's
are OpenBLAS's as a rule, which does. On a core of AMD's Zen 5 the one makes 110 billion operations a second and the
other 240, and small products in half the time. Which is faster where we are is measured once a process.
"""

import functools
import time
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from isthmus.core.blas import blas_threads
from isthmus.core.choices import refuse_unknown
from isthmus.engine.devices import threads

MAKERS = ("auto", "torch", "numpy")
GAIN = 1.05
"""How many times faster numpy has to be to be taken."""
SHAPE = 128, 784, 128
TRIES = 12
TOLERANCE = 1e-4
"""By how much of their size the two may differ in a product of numbers in [0, 1]."""


class Products(Protocol):
    """Makes matrix products into memory that is there; matrices are handed over as it asks for them."""

    halved: bool
    """Whether in bfloat16."""

    def matrix(self, tensor: Tensor) -> Any:
        """Return a tensor as the other methods take it, in the same memory."""

    def affine(self, x: Any, transposed: Any, bias: Any, out: Any) -> None:
        """Write x Wᵀ + b."""

    def multiply(self, a: Any, b: Any, out: Any) -> None:
        """Write a b."""


class TorchProducts:
    """Products by torch, on any device."""

    def __init__(self, halved: bool = False) -> None:
        self.halved = halved

    def matrix(self, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor

    def affine(self, x: Tensor, transposed: Tensor, bias: Tensor, out: Tensor) -> None:
        """Write x Wᵀ + b."""
        torch.addmm(bias, x, transposed, out=out)

    def multiply(self, a: Tensor, b: Tensor, out: Tensor) -> None:
        """Write a b."""
        torch.mm(a, b, out=out)


class NumpyProducts:
    """Products by numpy, on the processor.

    To be made on one thread, for steps on one thread: torch's threads wait busily for their next work, and numpy's,
    which are others, would have to share the cores with them.
    """

    halved = False

    def matrix(self, tensor: Tensor) -> np.ndarray:
        """Return an array in the tensor's memory."""
        return tensor.numpy()

    def affine(self, x: np.ndarray, transposed: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
        """Write x Wᵀ + b."""
        np.matmul(x, transposed, out=out)
        np.add(out, bias, out=out)

    def multiply(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Write a b."""
        np.matmul(a, b, out=out)


def maker(name: str, on: torch.device) -> str:
    """Return the name, if it is one of `MAKERS` that can work on the device.

    Raises
    ------
    ValueError
        For another name, or for numpy anywhere but on the processor.
    """
    refuse_unknown("matmul", name, MAKERS)
    if name == "numpy" and on.type != "cpu":
        raise ValueError(f"matmul='numpy' works on the processor, not on device={str(on)!r}; take 'auto'")
    return name


def of(name: str, on: torch.device) -> Products:
    """Return who makes the products on a device: "torch", "numpy", or by "auto" the faster."""
    if name == "numpy" or (name == "auto" and on.type == "cpu" and numpy_gain() >= GAIN):
        return NumpyProducts()
    return TorchProducts()


@functools.cache
def numpy_gain() -> float:
    """Return how many times faster numpy makes products than torch on one thread; 0 where they differ.

    The fastest of a dozen tries each, in turn, which is the same from run to run: a seed has to give the same model.
    """
    rows, inner, columns = SHAPE
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(rows, inner, generator=generator), torch.rand(inner, columns, generator=generator)
    makers: list[Products] = [TorchProducts(), NumpyProducts()]
    results = [torch.empty(rows, columns) for _ in makers]
    fastest = [float("inf")] * len(makers)
    with threads(1), blas_threads(1):
        for _ in range(TRIES):
            for k, (maker, result) in enumerate(zip(makers, results, strict=True)):
                given, out = (maker.matrix(a), maker.matrix(b)), maker.matrix(result)
                start = time.perf_counter()
                maker.multiply(*given, out)
                fastest[k] = min(fastest[k], time.perf_counter() - start)
    agree = torch.allclose(results[0], results[1], rtol=TOLERANCE)
    return fastest[0] / fastest[1] if agree else 0.0
