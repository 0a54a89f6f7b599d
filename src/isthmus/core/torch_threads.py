"""The number of threads that torch computes with, set for one Python thread and for no other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from isthmus.core.interrupts import uninterrupted

LOCK = threading.Lock()


class NewThreads(threading.Thread):
    """Keeps the number of threads that later Python threads will begin with, while that of one thread is changed.

    `torch.set_num_threads` sets two numbers: that of the calling thread, and the one with which every thread begins
    when it first asks torch. Only a thread that has not asked yet can read the second.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.was_read, self.was_changed = threading.Event(), threading.Event()

    def __enter__(self) -> "NewThreads":
        self.start()
        self.was_read.wait()
        return self

    def __exit__(self, *failure: object) -> None:
        self.was_changed.set()
        self.join()

    def run(self) -> None:
        """Read the number, and write it again after the change."""
        begin = torch.get_num_threads()
        self.was_read.set()
        self.was_changed.wait()
        torch.set_num_threads(begin)


def use_threads(count: int) -> None:
    """Let torch use `count` threads in this Python thread from now on; all other Python threads keep theirs."""
    with uninterrupted(), LOCK:
        if torch.get_num_threads() != count:
            with NewThreads():
                torch.set_num_threads(count)


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch use `count` threads in this Python thread inside the block; None keeps the number that it has."""
    if count is None or count == (before := torch.get_num_threads()):
        yield
        return
    # With no other Python thread about, a third of a millisecond is saved.
    change = torch.set_num_threads if threading.active_count() == 1 else use_threads
    change(count)
    try:
        yield
    finally:
        change(before)
