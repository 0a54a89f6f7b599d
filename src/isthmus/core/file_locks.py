"""Locks on single bytes of a file, which the operating system releases when their process ends, however it ends."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class ByteLocks:
    """Exclusive locks between processes, each on one byte of an empty file that stays where it is.

    A process that is killed holds no lock any more, so that none is ever stale. The locks of one object keep out other
    processes, but not other objects of the same process.

    Parameters
    ----------
    path : Path
        The file; it is created if it is not there.

    Raises
    ------
    OSError
        If the file cannot be created or opened.

    Examples
    --------
    >>> import tempfile
    >>> with ByteLocks(Path(tempfile.mkdtemp()) / "work.lock") as locks:
    ...     locks.take(0)
    ...     locks.try_take(1)
    ...     locks.release(0)
    True
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release all locks."""
        os.close(self.descriptor)

    if sys.platform == "win32":

        def take(self, byte: int) -> None:
            """Lock a byte; wait until no other process holds it."""
            while not self.try_take(byte):
                time.sleep(0.01)

        def try_take(self, byte: int) -> bool:
            """Lock a byte if no other process holds it; return whether it is ours now."""
            import msvcrt

            os.lseek(self.descriptor, byte, os.SEEK_SET)
            try:
                msvcrt.locking(self.descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
            return True

        def release(self, byte: int) -> None:
            """Release the lock on a byte."""
            import msvcrt

            os.lseek(self.descriptor, byte, os.SEEK_SET)
            msvcrt.locking(self.descriptor, msvcrt.LK_UNLCK, 1)

    else:

        def take(self, byte: int) -> None:
            """Lock a byte; wait until no other process holds it."""
            import fcntl

            fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 1, byte)

        def try_take(self, byte: int) -> bool:
            """Lock a byte if no other process holds it; return whether it is ours now."""
            import fcntl

            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except (BlockingIOError, PermissionError):
                return False
            return True

        def release(self, byte: int) -> None:
            """Release the lock on a byte."""
            import fcntl

            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, byte)
