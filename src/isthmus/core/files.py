"""Writing files atomically: a file is either complete or not there."""

import hashlib
import os
import platform
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PART = re.compile(
    r"\.(?P<name>.+)\.(?P<system>[0-9a-f]{8})-(?P<process>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.part", re.DOTALL
)
"""The name of a temporary file: that of the file to come, and who writes it: the system, the process and its start."""
START_FIELD = 19
"""Where Linux says when a process began, in /proc/PID/stat, counted from what follows the name of the program."""
FORGOTTEN = 24 * 3600.0
"""Seconds after the last change of a temporary file of another system, or of an earlier boot, until it is removed."""


@contextmanager
def atomic_write(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` if the block succeeds; else remove it.

    The content is flushed to the disk before the rename, so a reader (another process, or this one after a power cut)
    sees the old file or the new one, never a partial one. A file that is replaced keeps its permissions. Temporary
    files for the same `path` whose writer was killed are removed first (`is_abandoned`); those of processes that still
    run stay.

    Parameters
    ----------
    path : Path
        The file.
    replace : bool, default=True
        Whether a file that is there is replaced, also one that another process wrote in the meantime.

    Raises
    ------
    FileExistsError
        If a file is there and must not be replaced.
    OSError
        The error of the operating system (no such folder, no permission, disk full), which names `path`; `path` is then
        unchanged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['note.txt']
    """
    remove_abandoned(path)
    process = os.getpid()
    writer = f"{system()}-{process}-{start_of(process) or 0}"
    temporary = path.with_name(f".{path.name}.{writer}-{secrets.token_hex(4)}.part")
    try:
        # Created here rather than by `tempfile`, so that the file has the permissions of any new file of the user.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        if replace:
            temporary.replace(path)
        else:
            rename_to_new(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        # Writing itself does not say where the disk is full.
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise


def remove_abandoned(path: Path) -> None:
    """Remove temporary files for `path` whose writers no longer run, as after a kill or a power cut."""
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            found = PART.fullmatch(entry.name)
            if found is not None and found["name"] == path.name:
                with suppress(OSError):
                    if is_abandoned(found, entry.stat().st_mtime):
                        os.unlink(entry.path)


def is_abandoned(found: re.Match[str], changed: float) -> bool:
    """Whether nobody writes a temporary file any more, last changed at that time.

    Of another system, which may share the folder, nobody here knows which processes run: there time decides.
    """
    if found["system"] != system() or os.name != "posix":
        return time.time() - changed > FORGOTTEN
    return not runs(int(found["process"]), int(found["start"]))


@cache
def system() -> str:
    """Return eight digits for the system whose processes have numbers of their own: a machine, a boot, a container."""
    parts = [platform.node()]
    for read in (lambda: Path("/proc/sys/kernel/random/boot_id").read_text(), lambda: os.readlink("/proc/self/ns/pid")):
        with suppress(OSError):
            parts.append(read())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def runs(process: int, start: int) -> bool:
    """Whether the process of this number that began then still runs; True where that cannot be told.

    Numbers of processes are used again; where the system says when a process began, a later one is not taken for it.
    """
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        pass
    now = start_of(process)
    return not start or now is None or now == start


def start_of(process: int) -> int | None:
    """Return when a process began, in ticks since the system did; None where the system does not say."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[START_FIELD])
    except (OSError, ValueError, IndexError):
        return None


def rename_to_new(temporary: Path, path: Path) -> None:
    """Rename a file unless there is one of the new name: in one step, where the file system has hard links."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(f"{path} was written by somebody else in the meantime") from None
        temporary.rename(path)
    else:
        temporary.unlink()
