"""Callbacks for every network that is trained within a block of code, whoever trains it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from isthmus.engine.callbacks import Callback

WATCHING: ContextVar[tuple[Callback, ...]] = ContextVar("watching", default=())
"""The callbacks of the blocks around the code that runs; each thread and task has its own."""


@contextmanager
def watched(*callbacks: Callback) -> Iterator[None]:
    """Give callbacks to every network that is trained within the block: those of a detector or an imputer as well.

    Parameters
    ----------
    *callbacks
        Called after those of the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from isthmus import AutoEncoder
    >>> class Count(Callback):
    ...     fits = 0
    ...     def on_fit_end(self, run):
    ...         self.fits += 1
    >>> count = Count()
    >>> with watched(count):
    ...     _ = AutoEncoder(2, epochs=1, random_state=0).fit(load_iris().data)
    >>> count.fits
    1
    """
    token = WATCHING.set((*WATCHING.get(), *callbacks))
    try:
        yield
    finally:
        WATCHING.reset(token)
