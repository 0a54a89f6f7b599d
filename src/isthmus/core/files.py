"""Writing files atomically: a file is either complete or not there."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` if the block succeeds; else remove it.

    The content is flushed to the disk before the rename, so a reader (another process, or this one after a power cut)
    sees the old file or the new one, never a partial one. A file that is replaced keeps its permissions.

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
        The error of the operating system (no such folder, no permission, disk full); `path` is then unchanged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['note.txt']
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    # Created here rather than by `tempfile`, so that the file has the permissions of any new file of the user.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        if replace:
            temporary.replace(path)
        else:
            rename_to_new(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
