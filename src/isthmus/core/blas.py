"""The threads of the linear algebra of numpy and scipy, which are not torch's threads."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import scipy.linalg  # noqa: F401  loads its library, so that it is found
from threadpoolctl import ThreadpoolController


class BlasLibrary(Protocol):
    """A loaded linear algebra library."""

    def get_num_threads(self) -> int:
        """Return the number of threads that it uses."""
        ...

    def set_num_threads(self, num_threads: int) -> object:
        """Set the number of threads that it uses."""
        ...


@functools.cache
def libraries() -> list[BlasLibrary]:
    """Return the linear algebra libraries that are loaded."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let numpy and scipy use `count` threads inside the block and restore their settings after it."""
    before = [(library, library.get_num_threads()) for library in libraries()]
    for library, _ in before:
        library.set_num_threads(count)
    try:
        yield
    finally:
        for library, threads in before:
            library.set_num_threads(threads)
