"""The threads of the linear algebra of numpy and scipy, which are not torch's threads."""

import functools
from typing import Protocol

import scipy.linalg  # noqa: F401  loads its library, so that it is found
from threadpoolctl import ThreadpoolController

from isthmus.core.shared_settings import SharedSetting


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


def counts() -> list[int]:
    """Return the number of threads of each library."""
    return [library.get_num_threads() for library in libraries()]


def use(numbers: list[int]) -> None:
    """Set the number of threads of each library."""
    for library, number in zip(libraries(), numbers, strict=True):
        library.set_num_threads(number)


BLAS_THREADS = SharedSetting(counts, use, lambda numbers: [1] * len(numbers))
"""Held by everything that isthmus computes: numpy and scipy use one thread, in all Python threads.

They round otherwise with every other number, and it belongs to the process: with another number for some of its work,
what one thread computes would depend on what the others do. Several threads of OpenBLAS beside torch's gain little on a
calm machine and cost up to a hundred times as much on a busy one.
"""
