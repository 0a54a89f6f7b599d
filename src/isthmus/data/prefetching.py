"""`Prefetcher`: results that another thread computes before they are needed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

import torch

from isthmus.core.interrupts import uninterrupted
from isthmus.core.torch_threads import use_threads

Given = TypeVar("Given")
Made = TypeVar("Made")

DEPTH = 3
"""The largest number of results that are computed ahead."""


class Prefetcher(Generic[Given, Made]):
    """``map(function, items)``, computed a few results ahead by another thread; use it in a ``with`` block.

    An exception of the function is raised where its result is taken.

    Parameters
    ----------
    function : callable
        Maps an item to a result; runs in the other thread.
    items : iterable
        Iterated over in the caller's thread.

    Examples
    --------
    >>> with Prefetcher(len, ["a", "bcd", "ef"]) as lengths:
    ...     list(lengths)
    [1, 3, 2]
    """

    def __init__(self, function: Callable[[Given], Made], items: Iterable[Given]) -> None:
        self.function = function
        self.items = iter(items)
        # With as many threads of torch as here: more would compete with those of training.
        self.worker = ThreadPoolExecutor(1, "ahead", use_threads, (torch.get_num_threads(),))

    def __enter__(self) -> Self:
        try:
            self.waiting = [self.worker.submit(self.function, item) for item in islice(self.items, DEPTH)]
        except BaseException:
            self.worker.shutdown(cancel_futures=True)
            raise
        return self

    def __iter__(self) -> Iterator[Made]:
        while self.waiting:
            first: Future[Made] = self.waiting.pop(0)
            self.waiting += [self.worker.submit(self.function, item) for item in islice(self.items, 1)]
            yield first.result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An iterator that is given up leaves this block in its destructor.
        with uninterrupted(later=True):
            self.worker.shutdown(cancel_futures=True)
