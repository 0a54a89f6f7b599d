"""The threads of numpy's and scipy's linear algebra, which are not torch's."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import scipy.linalg  # noqa: F401  so that its library is there to be found
from threadpoolctl import ThreadpoolController


@functools.cache
def libraries() -> list[Any]:
    """Return what can ``get_num_threads()`` and ``set_num_threads(count)``, for each such library."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let numpy and scipy use `count` threads inside the block and what they used before after it."""
    before = [(library, library.get_num_threads()) for library in libraries()]
    for library, _ in before:
        library.set_num_threads(count)
    try:
        yield
    finally:
        for library, threads in before:
            library.set_num_threads(threads)
