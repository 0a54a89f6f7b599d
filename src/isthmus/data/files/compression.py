"""Compressed files: read as what they hold; damage is told in words."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from isthmus.core.extras import MissingExtraError
from isthmus.data.files.places import Place, chosen_part, listed
from isthmus.data.files.signatures import HEAD, signature

ENDINGS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}
"""The compression that an ending stands for."""


class CompressedFile(io.RawIOBase):
    """The bytes that a compressed file holds.

    Parameters
    ----------
    stream
        What yields them; its errors become a `ValueError` that names the file.
    shown
        What messages call the file.
    """

    def __init__(self, stream: Any, shown: str) -> None:
        self.stream = stream
        self.shown = shown

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; return how many bytes there were, 0 at the end."""
        with damage_told(self.shown):
            found: bytes = self.stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self.stream.close()
        super().close()


@contextmanager
def damage_told(shown: str) -> Iterator[None]:
    """Turn the errors of damaged archives into a `ValueError` that names the file."""
    damage = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile)
    try:
        yield
    except damage as error:
        raise ValueError(broken(shown, error)) from error
    except RuntimeError as error:  # what zipfile raises for a password
        raise ValueError(f"{shown} cannot be unpacked: {error}; unpack it first") from error
    except OSError as error:
        if error.errno is not None and not isinstance(error, gzip.BadGzipFile):
            raise
        raise ValueError(broken(shown, error)) from error


def broken(shown: str, error: Exception) -> str:
    """Return the message for a damaged file."""
    return f"{shown} is damaged or cut short ({error}); get it again, or compress it again"


def open_zstd(path: Path) -> Any:
    """Open a file that zstd compressed; pyarrow reads it."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("reading .zst files", "pyarrow", "tables") from error
    return pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd")


OPENERS: dict[str, Callable[[Path], Any]] = {
    "gzip": gzip.GzipFile,
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": open_zstd,
}


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(HEAD)


def compression_of(path: Path) -> str:
    """Return how a file is compressed, by its first bytes; "" if it is not."""
    found = signature(head_of(path))
    return found if found in ENDINGS.values() else ""


def open_bytes(place: Place) -> IO[bytes]:
    """Open what a file holds, unpacked if it is compressed.

    Raises
    ------
    ValueError
        If the file is damaged, or an archive of several files of which none was named.
    """
    kind = compression_of(place.path)
    if not kind:
        return open(place.path, "rb")
    with damage_told(place.shown):
        if kind == "zip":
            archive = zipfile.ZipFile(place.path)
            stream: Any = archive.open(member_of(place, archive))
        else:
            stream = OPENERS[kind](place.path)
    return io.BufferedReader(CompressedFile(stream, place.shown), 1 << 20)


def member_of(place: Place, archive: zipfile.ZipFile) -> str:
    """Return the name of the member of an archive that is meant: the one that was named, or the only one."""
    names = members(archive)
    if place.part:
        return chosen_part(place, "file", names)
    if len(names) != 1:
        raise ValueError(
            f"{place.shown} is an archive of {len(names)} files, and one must be named, as in "
            f"{place.path}::{names[0] if names else 'table.csv'}; {listed('file', names)}"
        )
    return names[0]


def members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the files in an archive, without folders and what macOS adds."""
    return [
        entry.filename
        for entry in archive.infolist()
        if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
    ]


def inner_name(place: Place) -> str:
    """Return the name of what a file holds: of the member of an archive, else its own without ".gz" and the like."""
    kind = compression_of(place.path)
    if kind == "zip":
        with damage_told(place.shown), zipfile.ZipFile(place.path) as archive:
            return member_of(place, archive)
    return place.path.stem if place.path.suffix.lower() in ENDINGS and kind else place.path.name
