"""Settings of the whole process that isthmus needs otherwise: changed by the first user, put back by the last."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Value = TypeVar("Value")


class SharedSetting(Generic[Value]):
    """A setting of the process with one value while any thread is in a block, and the one before when all have left.

    Threads that each save and restore such a setting leave it changed: the second saves what the first has set.

    Parameters
    ----------
    read
        Returns the present value.
    write
        Sets a value.
    own
        Maps the value that was there to the one in the blocks.
    """

    def __init__(
        self, read: Callable[[], Value], write: Callable[[Value], object], own: Callable[[Value], Value]
    ) -> None:
        self.read, self.write, self.own = read, write, own
        self.lock = threading.Lock()
        self.users = 0
        self.inside = threading.local()
        os.register_at_fork(after_in_child=self.forked)

    def forked(self) -> None:
        """Forget the other threads, of which a forked process has none."""
        self.lock = threading.Lock()
        users, self.users = self.users, self.here
        if users and not self.users:
            self.write(self.before)

    @property
    def here(self) -> int:
        """In how many blocks this thread is."""
        return int(vars(self.inside).get("depth", 0))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use isthmus' own value inside the block."""
        with self.lock:
            if not self.users:
                self.before = self.read()
                own = self.own(self.before)
                self.changed = own != self.before
                if self.changed:
                    self.write(own)
            self.users += 1
            self.inside.depth = self.here + 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                self.inside.depth = self.here - 1
                if not self.users and self.changed:
                    self.write(self.before)
