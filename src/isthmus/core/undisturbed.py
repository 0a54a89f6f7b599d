"""`undisturbed`: what every public method that computes is wrapped in, so that it shares its process with others."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from isthmus.core.blas import BLAS_THREADS
from isthmus.core.interrupts import interruptible, uninterrupted
from isthmus.core.own_modes import own_modes

Given = ParamSpec("Given")
Result = TypeVar("Result")


@contextmanager
def shared_process() -> Iterator[None]:
    """Compute inside the block as if alone: in torch's usual modes, with one thread of BLAS, and no import cut short.

    Everything is put back at its end, also where Ctrl-C ends it.
    """
    with uninterrupted(), own_modes(), BLAS_THREADS.held(), interruptible():
        yield


def undisturbed(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return a function that does the same whatever the caller, or another thread, has set in torch, numpy and scipy.

    Examples
    --------
    >>> import torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled(), undisturbed(torch.is_grad_enabled)()
    (False, True)
    """

    @functools.wraps(function)
    def alone(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with shared_process():
            return function(*args, **kwargs)

    return alone


def undisturbed_items(items: Iterator[Result]) -> Iterator[Result]:
    """Yield the items of an iterator, each of which is computed undisturbed."""
    nothing = object()
    following = undisturbed(functools.partial(next, items, nothing))
    while (item := following()) is not nothing:
        yield item
