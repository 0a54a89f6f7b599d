"""`Allowance`: how much may be allocated while a network is built from a file that nobody vouches for."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

SIZED = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn}
"""Functions whose arguments are the sizes of a tensor."""
SHAPED = {torch.full, torch.randint, torch.normal, torch.empty_strided}
"""Functions that take the sizes as one argument, a tuple."""
LIKE = {torch.empty_like, torch.zeros_like, torch.ones_like, torch.full_like, torch.rand_like, torch.randn_like}
"""Functions that take the size of another tensor."""
FILLED: Mapping[Callable[..., Tensor], Callable[..., float]] = {
    torch.arange: lambda start, end=None, step=1: abs((start if end is None else end - start) / step),
    torch.linspace: lambda start, end, steps=100: steps,
    torch.eye: lambda n, m=None: n * (n if m is None else m),
    torch.randperm: lambda n: n,
}
"""Functions whose arguments give the numbers of a tensor in other ways, and how."""


class Allowance(TorchFunctionMode):
    """Within it, tensors are made until they have too many numbers together, or are too many.

    Parameters
    ----------
    numbers
        Numbers of all tensors together, at most.
    tensors
        How many tensors are made, at most.

    Raises
    ------
    ValueError
        Before the tensor that would be too large is made.

    Examples
    --------
    >>> with Allowance(numbers=100, tensors=3):
    ...     weight = torch.zeros(10, 10)
    >>> with Allowance(numbers=100, tensors=3):
    ...     weight = torch.zeros(10**9, 10**9)
    Traceback (most recent call last):
    ...
    ValueError: its parts ask for a larger network than the file holds
    """

    def __init__(self, numbers: int, tensors: int) -> None:
        super().__init__()
        self.numbers, self.tensors = numbers, tensors

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Call a function of torch, unless it would make too large a tensor."""
        given = dict(kwargs or {})
        asked = numbers_asked(func, args, given)
        if asked is not None:
            self.numbers -= min(asked, self.numbers + 1)
            self.tensors -= 1
            if self.numbers < 0 or self.tensors < 0:
                raise ValueError("its parts ask for a larger network than the file holds")
        return func(*args, **given)


def numbers_asked(func: Callable[..., object], args: Sequence[Any], given: Mapping[str, Any]) -> int | None:
    """Return how many numbers the tensor will have that a function of torch makes; None if it makes none."""
    if func in SIZED:
        sizes = args or (given.get("size", ()),)
        return product(sizes[0] if len(sizes) == 1 and isinstance(sizes[0], Sequence) else sizes)
    if func in SHAPED:
        shapes = [value for value in (*args, given.get("size")) if isinstance(value, Sequence)]
        return product(shapes[0]) if shapes else 0
    if func in LIKE:
        return args[0].numel() if args else 0
    count = FILLED.get(func)  # type: ignore[arg-type]
    if count is None:
        return None
    numbers = {name: value for name, value in given.items() if name in ("start", "end", "step", "steps", "n", "m")}
    return math.ceil(count(*args, **numbers))


def product(sizes: Sequence[Any]) -> int:
    """Return the numbers of a tensor of these sizes; those that are no numbers are left to torch."""
    return math.prod(abs(size) for size in sizes if isinstance(size, int))
