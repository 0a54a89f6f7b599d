"""Tensors by name as an object needs them, or an error that says which one is not so."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

FLOATS = (torch.float64, torch.float32)


def checked(
    tensors: Mapping[str, Tensor],
    name: str,
    shape: Sequence[int | None],
    dtype: torch.dtype | Sequence[torch.dtype] = torch.float64,
    *,
    finite: bool = True,
    least: float | None = None,
    most: float | None = None,
) -> Tensor:
    """Return the tensor of a name.

    Parameters
    ----------
    tensors
        By name.
    name
        The name.
    shape
        The sizes that it must have; None stands for any.
    dtype
        The number type that it must have, or one of several.
    finite
        Whether it may hold neither NaN nor infinity.
    least, most
        Between which its numbers must lie.

    Raises
    ------
    ValueError
        If there is no such tensor, or if it is another one.

    Examples
    --------
    >>> checked({"mean": torch.zeros(2).double()}, "mean", (2,))
    tensor([0., 0.], dtype=torch.float64)
    >>> checked({"mean": torch.zeros(2).double()}, "mean", (3,))
    Traceback (most recent call last):
    ...
    ValueError: 'mean' must have the shape (3); got (2)
    """
    if name not in tensors:
        raise ValueError(f"{name!r} is missing")
    tensor = tensors[name]
    if len(shape) != tensor.dim() or any(
        size not in (None, own) for size, own in zip(shape, tensor.shape, strict=True)
    ):
        raise ValueError(f"{name!r} must have the shape {sizes(shape)}; got {sizes(tensor.shape)}")
    kinds = (dtype,) if isinstance(dtype, torch.dtype) else tuple(dtype)
    if tensor.dtype not in kinds:
        raise ValueError(f"{name!r} must be of {' or '.join(map(str, kinds))}; got {tensor.dtype}")
    if finite and tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        raise ValueError(f"{name!r} must be finite")
    # Written so that NaN, which is on neither side, passes where it may.
    if least is not None and bool((tensor < least).any()):
        raise ValueError(f"{name!r} must be at least {least}")
    if most is not None and bool((tensor > most).any()):
        raise ValueError(f"{name!r} must be at most {most}")
    return tensor


def sizes(shape: Sequence[int | None]) -> str:
    """Return a shape in words, "any" for a size that does not matter."""
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"
