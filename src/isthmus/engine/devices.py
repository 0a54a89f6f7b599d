"""Devices, number types and threads: where arithmetic happens and how precise it is."""

import contextlib
import os
from contextlib import AbstractContextManager

import torch

from isthmus.core.checks import whole_number
from isthmus.core.choices import refuse_unknown, unknown

PRECISIONS = ("auto", "float32", "float64", "bfloat16")
SMALL = 50_000
"""Cells up to which a float64 table is trained in float64: there a step costs overhead, not arithmetic."""

SHORT_STEP = 1e9
"""Operations per step below which one thread is nearly as fast as several on a calm machine.

On a busy machine it is far faster.
"""
SHARED_STEP = 3e7
"""Operations per step below which one thread is as fast as several on any machine."""


def device(name: str | torch.device) -> torch.device:
    """Return the device called `name` ("auto": CUDA if there is one, else Apple's GPU, else the processor).

    Raises
    ------
    ValueError
        If torch does not know the name, or if this machine does not have the device.
    """
    if name == "auto":
        there = ("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()), ("cpu", True)
        return torch.device(next(kind for kind, available in there if available))
    try:
        chosen = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ValueError(unknown("device", name, ["auto", "cpu", "cuda", "cuda:0", "mps"])) from error
    known = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not known.get(chosen.type, False):
        raise ValueError(f"device={str(name)!r} is not available on this machine; take device='auto' or 'cpu'")
    if chosen.type == "cuda" and chosen.index is not None and chosen.index >= torch.cuda.device_count():
        raise ValueError(f"device={str(name)!r} asks for a GPU beyond the {torch.cuda.device_count()} of this machine")
    return chosen


def number_type(precision: str, on: torch.device, wide: bool, cells: int) -> torch.dtype:
    """Return the number type of the weights; "auto" is float64 for small float64 tables, else float32.

    Parameters
    ----------
    precision
        "auto", "float32", "float64", or "bfloat16" (float32 weights, matrix products in bfloat16).
    on
        The device.
    wide
        Whether the data came in float64 or wider integers.
    cells
        Rows times columns of the data.

    Raises
    ------
    ValueError
        If the precision is unknown, or if the device does not have it.
    """
    refuse_unknown("precision", precision, PRECISIONS)
    if on.type == "mps" and precision == "float64":
        raise ValueError("precision='float64' is not available on device='mps'; take 'float32' or device='cpu'")
    if precision == "float64" or (precision == "auto" and on.type != "mps" and wide and cells <= SMALL):
        return torch.float64
    return torch.float32


def arithmetic(precision: str, on: torch.device) -> AbstractContextManager[object]:
    """Return the context that multiplies matrices in the precision of that name."""
    if precision == "bfloat16":
        return torch.autocast(on.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def memory() -> int | None:
    """Return the machine's memory in bytes, or None if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def wait(on: torch.device) -> None:
    """Wait until a device has finished its work."""
    if on.type == "cuda":
        torch.cuda.synchronize(on)
    elif on.type == "mps":
        torch.mps.synchronize()


def fits(on: torch.device, needed: int) -> bool:
    """Whether a table of `needed` bytes may stay in the device's memory: on a GPU, at most half of the free memory."""
    return on.type == "cpu" or (on.type == "cuda" and needed <= torch.cuda.mem_get_info(on)[0] // 2)


def thread_count(asked: int | str | None, operations: float) -> int | None:
    """Return the number of threads for steps of so many floating-point operations, chosen without a trial.

    None keeps torch's setting.
    """
    if asked == "auto":
        return 1 if operations < SHORT_STEP else None
    return None if asked is None else whole_number("threads", asked, 1)


def thread_counts(asked: int | str | None, operations: float) -> list[int]:
    """Return the thread counts, ascending, that a trial chooses from for steps of so many floating-point operations."""
    most = torch.get_num_threads()
    if asked == "auto":
        return [1] if operations < SHARED_STEP else [*(2**k for k in range((most - 1).bit_length())), most]
    return [most if asked is None else whole_number("threads", asked, 1)]
