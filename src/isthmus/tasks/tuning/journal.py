"""The journal of a search: one file that several processes write to, and that a killed process leaves whole.

Optuna appends one line per event. Its own lock is a file that a killed process leaves behind, and a line that was cut
off spoils the next one; here the operating system releases the locks of a process that ends, and whoever takes the lock
first removes an unfinished line.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from isthmus.core.file_locks import ByteLocks
from isthmus.tasks.tuning.optuna_package import optuna_package

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.storages.journal import JournalFileSymlinkLock

APPENDING, CLAIMING, FIRST_TRIAL = 0, 1, 2
"""Bytes of the lock file: for appending a line, for choosing the next trial, and for trial 0, trial 1, and so on."""
FIRST_LINE = b'{"op_code":'
"""How a journal begins."""


class AppendLock:
    """The lock that Optuna takes before it appends to the journal; taking it removes an unfinished last line."""

    def __init__(self, path: Path, locks: ByteLocks) -> None:
        self.path, self.locks = path, locks

    def acquire(self) -> bool:
        """Wait for the lock."""
        self.locks.take(APPENDING)
        remove_unfinished_line(self.path)
        return True

    def release(self) -> None:
        """Release the lock."""
        self.locks.release(APPENDING)


def remove_unfinished_line(path: Path) -> None:
    """Cut a file off behind its last whole line."""
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        kept = end
        while kept > 0:
            start = max(0, kept - 65536)
            file.seek(start)
            found = file.read(kept - start).rfind(b"\n")
            if found >= 0:
                kept = start + found + 1
                break
            kept = start
        if kept < end:
            file.truncate(kept)


class Journal:
    """Where trials are recorded, and which of them run: in a file, or in memory if there is none.

    Parameters
    ----------
    path : Path or None
        The file; another one beside it, ``.NAME.lock``, holds locks only.

    Raises
    ------
    OSError
        If the file cannot be written, or is no journal.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.locks: ByteLocks | None = None
        self.storage: BaseStorage | None = None
        if path is not None:
            refuse_unusable(path)
            self.locks = ByteLocks(path.with_name(f".{path.name}.lock"))
            path.touch()
            journal = optuna_package().storages.journal
            lock = cast("JournalFileSymlinkLock", AppendLock(path, self.locks))
            lock.acquire()
            lock.release()
            self.storage = journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))

    def close(self) -> None:
        """Release all locks."""
        if self.locks is not None:
            self.locks.close()

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Let no other process choose a trial meanwhile."""
        if self.locks is not None:
            self.locks.take(CLAIMING)
        try:
            yield
        finally:
            if self.locks is not None:
                self.locks.release(CLAIMING)

    def start(self, trial: int) -> None:
        """Say that a trial runs in this process."""
        if self.locks is not None:
            self.locks.take(FIRST_TRIAL + trial)

    def end(self, trial: int) -> None:
        """Say that it runs no more."""
        if self.locks is not None:
            self.locks.release(FIRST_TRIAL + trial)

    def runs_elsewhere(self, trial: int) -> bool:
        """Whether a trial that no process has finished runs in another process."""
        if self.locks is None:
            return False
        if not self.locks.try_take(FIRST_TRIAL + trial):
            return True
        self.locks.release(FIRST_TRIAL + trial)
        return False


def refuse_unusable(path: Path) -> None:
    """Raise an `OSError` if a file can be no journal: its folder is not there, or it holds something else."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"journal={str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"journal={str(path)!r} is a folder: name a file in it, such as 'tuning.journal'")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"journal={str(path)!r} cannot be written: you have no permission to write there")
    if path.exists() and path.stat().st_size:
        with open(path, "rb") as file:
            begins = file.read(len(FIRST_LINE))
        if not FIRST_LINE.startswith(begins):
            raise OSError(f"journal={str(path)!r} is another kind of file: name one that is not there yet")
