"""Where results are written: refused before the work if it cannot be done, and whole or not at all."""

import bz2
import errno
import gzip
import lzma
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from isthmus.core.extras import MissingExtraError
from isthmus.core.files import atomic_write
from isthmus.data.files.compression import ENDINGS
from isthmus.data.files.detecting import named_format
from isthmus.data.files.places import PART, STANDARD, nearby, place_of
from isthmus.data.files.registry import FORMATS, FileFormat, format_of_ending

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the operating system if there is no room for a file."""


class Destination(NamedTuple):
    """Where a result goes.

    Parameters
    ----------
    path : Path or None
        The file; None for standard output.
    format : FileFormat
        How it is written.
    compression : str
        How it is compressed; "" if it is not.
    force : bool
        Whether a file that is there is replaced.
    """

    path: Path | None
    format: FileFormat
    compression: str = ""
    force: bool = False

    @property
    def shown(self) -> str:
        """What messages call it."""
        return "standard output" if self.path is None else str(self.path)


def destination(
    where: str | os.PathLike[str],
    *,
    force: bool = False,
    inputs: Collection[str | os.PathLike[str]] = (),
    format: str | None = None,  # noqa: A002
) -> Destination:
    """Return where a result goes, after it was made sure that it can go there.

    Raises
    ------
    FileExistsError
        If there is a file and `force` is not set.
    ValueError
        If the ending stands for no format, or the file is one of those that are read.
    OSError
        If the folder is missing or must not be written, or the path is a folder.
    """
    known = [name for name, one in FORMATS.items() if one.write is not None]
    if os.fspath(where) == STANDARD:
        return Destination(None, FORMATS["csv"] if format is None else named_format(format, known))
    path = Path(where).expanduser()
    compression = ENDINGS.get(path.suffix.lower(), "")
    found = format_of_ending(path.stem if compression else path.name) if format is None else named_format(format, known)
    if found is None or found.write is None or compression == "zip":
        endings = sorted(ending for name in known for ending in FORMATS[name].endings[:1])
        raise ValueError(
            f"{path.name} has an ending that is not written; give one of {', '.join(endings)} (those of text also with "
            ".gz, .zst, .bz2 or .xz), or a format"
        )
    if compression and not found.inside:
        raise ValueError(f"{path.name}: {found.what} is compressed by itself; leave {path.suffix} out")
    refuse_unwritable(path)
    refuse_inputs(path, inputs)
    if path.exists() and not is_device(path) and not force:
        raise FileExistsError(f"{path} is there already; give another name, or force it to be replaced")
    # A link stays a link: what it points to is replaced.
    return Destination(path.resolve() if path.is_symlink() else path, found, compression, force)


def is_device(path: Path) -> bool:
    """Whether a path is a pipe or a device, which is written to and not replaced."""
    return path.exists() and not path.is_file()


def refuse_unwritable(path: Path) -> None:
    """Raise an `OSError` if a file cannot be written."""
    folder = path.parent
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, such as {path / 'result.csv'}")
    if not folder.is_dir():
        near = nearby(folder) if folder.parent.is_dir() else ""
        raise FileNotFoundError(f"the folder {folder} for {path.name} does not exist; create it first{near}")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"{path} must not be written by this user; give another name, or change its permissions")
    if not is_device(path) and not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {folder} must not be written by this user; give another one")


def refuse_inputs(path: Path, inputs: Collection[str | os.PathLike[str]]) -> None:
    """Raise a `ValueError` if a file is one of those that are read, by whatever name."""
    for one in inputs:
        read = place_of(one).path
        if path.exists() and read.exists() and os.path.samefile(path, read):
            raise ValueError(
                f"{path} is the file that is read ({os.fspath(one).partition(PART)[0]}); write to another one"
            )


@contextmanager
def open_destination(target: Destination, stream: IO[bytes] | None = None) -> Iterator[Any]:
    """Yield a binary file to write to; it appears under its name when the block ends, whole or not at all.

    Raises
    ------
    OSError
        If the disk is full or the folder must not be written; what was there is unchanged.
    """
    try:
        if target.path is None:
            yield from written_to_stream(target, sys.stdout.buffer if stream is None else stream)
        elif is_device(target.path):
            with open(target.path, "wb") as file, compressed(file, target) as inner:
                yield inner
        else:
            with (
                atomic_write(target.path, replace=target.force) as temporary,
                open(temporary, "wb") as file,
                compressed(file, target) as inner,
            ):
                yield inner
    except FileExistsError as error:
        raise FileExistsError(
            f"{target.shown} was written by another process in the meantime; give another name, or force it"
        ) from error
    except PermissionError as error:
        raise PermissionError(f"{target.shown} must not be written by this user ({error.strerror})") from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        full = OSError(f"the disk is full: {target.shown} was not written, and nothing of it is left; free some space")
        full.errno = error.errno
        raise full from error


def written_to_stream(target: Destination, stream: IO[bytes]) -> Iterator[Any]:
    """Yield a stream, and flush it."""
    with compressed(stream, target) as inner:
        yield inner
    stream.flush()


def open_zstd(file: Any) -> Any:
    """Return a file whose content is compressed by zstd."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("writing .zst files", "pyarrow", "tables") from error
    return pyarrow.CompressedOutputStream(file, "zstd")


COMPRESS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda file: gzip.GzipFile("", "wb", fileobj=file, mtime=0),  # the same rows make the same bytes
    "bzip2": partial(bz2.BZ2File, mode="wb"),
    "xz": partial(lzma.LZMAFile, mode="wb"),
    "zstd": open_zstd,
}


@contextmanager
def compressed(file: Any, target: Destination) -> Iterator[Any]:
    """Yield a file whose content is compressed as its ending says."""
    if not target.compression:
        yield file
        return
    with COMPRESS[target.compression](file) as inner:
        yield inner
