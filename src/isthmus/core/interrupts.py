"""Ctrl-C at the right moments: never while a module is imported, nor while something is written that belongs together.

An import that is cut short leaves half a module behind, which no later import completes: torch imports sympy and its
compiler when they are first needed, in the middle of a fit. Weights that are copied half are those of no epoch.
"""

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.02
"""Seconds after which an interrupt that came during an import is raised again."""
IMPORTING = "<frozen importlib._bootstrap>"
"""The file name of the frames of an import."""

Handler = Callable[[int, FrameType | None], object]


class Interrupts:
    """What SIGINT does in a block: it is kept while `depth` is above 0, or passed on to the handler that was there.

    Parameters
    ----------
    before
        The handler that was there, which raises KeyboardInterrupt as a rule.
    """

    def __init__(self, before: Handler) -> None:
        self.before = before
        self.imports = imports(sys._getframe())
        """Imports that were going on when the block began, as where a fit is called while a module is imported."""
        self.depth = 1
        self.pending = self.raised = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.depth:
            self.pending = True
        elif imports(frame) > self.imports:
            later = threading.Timer(AGAIN, _thread.interrupt_main)
            later.daemon = True
            later.start()
        else:
            self.raised = True
            self.before(number, frame)

    def taken(self) -> bool:
        """Whether a signal was kept, or its KeyboardInterrupt lost; it is forgotten then, and will not be raised."""
        found = self.pending or self.raised
        self.pending = self.raised = False
        return found

    def deliver(self) -> None:
        """Pass on a signal that was kept, if signals are no longer kept."""
        if not self.depth and self.pending:
            self.pending, self.raised = False, True
            self.before(signal.SIGINT, None)


def imports(frame: FrameType | None) -> int:
    """Return how many frames of imports a frame stands on."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename == IMPORTING
        frame = frame.f_back
    return count


INSTALLED: list[Interrupts] = []
"""What takes the signals of the main thread; one at most."""


@contextmanager
def uninterrupted(*, later: bool = False) -> Iterator[Interrupts]:
    """Keep SIGINT until the end of the block, where KeyboardInterrupt is raised unless `Interrupts.taken` was called.

    Signals reach the main thread alone: in another thread, and where Python does not handle SIGINT, nothing is changed.

    Parameters
    ----------
    later
        Whether to raise it at the end of a later block, for blocks in destructors, where Python drops exceptions.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield Interrupts(signal.default_int_handler)
    elif INSTALLED:
        own = INSTALLED[-1]
        own.depth += 1
        try:
            yield own
        finally:
            own.depth -= 1
        if not later:
            own.deliver()
    else:
        own = Interrupts(before)
        signal.signal(signal.SIGINT, own)
        INSTALLED.append(own)
        try:
            yield own
        finally:
            INSTALLED.remove(own)
            # A handler that was installed inside the block stays.
            if signal.getsignal(signal.SIGINT) is own:
                signal.signal(signal.SIGINT, before)
        own.depth = 0
        own.pending |= own.raised
        own.deliver()


def heed_lost() -> None:
    """Raise KeyboardInterrupt if one was raised where Python drops exceptions, as in the destructor of an object."""
    if threading.current_thread() is threading.main_thread() and INSTALLED and INSTALLED[-1].raised:
        INSTALLED[-1].raised = False
        raise KeyboardInterrupt


def caught() -> None:
    """Note that a KeyboardInterrupt was not lost, but has been acted upon."""
    if threading.current_thread() is threading.main_thread() and INSTALLED:
        INSTALLED[-1].raised = False


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in the block, within a block that keeps it; imports are still completed."""
    if threading.current_thread() is not threading.main_thread() or not INSTALLED:
        yield
        return
    own = INSTALLED[-1]
    outside = own.depth
    try:
        own.depth = 0
        own.deliver()
        yield
    finally:
        own.depth = outside
