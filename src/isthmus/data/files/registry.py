"""The formats of files that are read and written, each in a file of its own that registers itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from isthmus.data.files.places import Place
from isthmus.data.files.roles import Roles
from isthmus.data.files.spilling import Collected, TemporaryFolder


@dataclass(frozen=True)
class Wishes:
    """What the user says about the reading of a file.

    Parameters
    ----------
    roles
        Of columns.
    delimiter, encoding, decimal, header, quote
        Of text; None for what is found by looking.
    as_written
        Columns of text that stay text, whatever they hold.
    limit
        Bytes of rows that are kept in memory.
    folder
        For temporary files.
    """

    roles: Roles
    limit: int
    folder: TemporaryFolder
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    header: bool | None = None
    quote: str | None = None
    as_written: frozenset[str] = frozenset()


@dataclass
class Found:
    """What was read.

    Parameters
    ----------
    collected
        The columns by their role; its data may be an array or a sparse matrix, too.
    found
        What was found by looking, in sentences.
    columns
        Names of the columns of an array or a matrix; None if they have none, or the data have them.
    """

    collected: Collected
    found: list[str] = field(default_factory=list)
    columns: tuple[str, ...] | None = None


Read = Callable[[Place, Wishes], Found]
Write = Callable[[Iterator[Any], Any, str], None]
"""Writes pieces of a result to an open binary file or a path; the last argument is what messages call it."""


@dataclass(frozen=True)
class FileFormat:
    """A format of files.

    Parameters
    ----------
    name
        How the user may call it.
    endings
        Of its files, with the dot, in lower case.
    what
        What it is, in a few words.
    read
        Reads a file; None if the format is only written.
    write
        Writes pieces of a result; None if the format is only read.
    inside
        Whether its files are also read and written within compressed files.
    """

    name: str
    endings: tuple[str, ...]
    what: str
    read: Read | None = None
    write: Write | None = None
    inside: bool = False


FORMATS: dict[str, FileFormat] = {}
"""All formats by name."""
Reader = TypeVar("Reader", bound=Read)
Writer = TypeVar("Writer", bound=Write)


def reads(name: str, endings: Sequence[str], what: str, *, inside: bool = False) -> Callable[[Reader], Reader]:
    """Register a function that reads a format.

    Parameters
    ----------
    name, endings, what, inside
        As in `FileFormat`.
    """

    def register(read: Reader) -> Reader:
        known = FORMATS.get(name)
        FORMATS[name] = FileFormat(name, tuple(endings), what, read, known.write if known else None, inside)
        return read

    return register


def writes(name: str, endings: Sequence[str] = (), what: str = "") -> Callable[[Writer], Writer]:
    """Register a function that writes a format, which may be registered for reading already."""

    def register(write: Writer) -> Writer:
        known = FORMATS.get(name)
        FORMATS[name] = (
            FileFormat(name, tuple(endings), what, None, write)
            if known is None
            else FileFormat(name, known.endings, known.what, known.read, write, known.inside)
        )
        return write

    return register


def format_of_ending(name: str) -> FileFormat | None:
    """Return the format that the ending of a name stands for; None if none does."""
    lower = name.lower()
    found = [(ending, known) for known in FORMATS.values() for ending in known.endings if lower.endswith(ending)]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None
