"""Where data lie: a path, standard input, and the part of a file that is meant (`book.xlsx::sheet`)."""

import glob
import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

STANDARD = "-"
"""Stands for standard input or output."""
WILD = "*?["
"""Characters that make a path a pattern."""
PART = "::"
"""Stands between a file and the part of it that is meant."""


class Place(NamedTuple):
    """A file or a folder, and the part of it that is meant.

    Parameters
    ----------
    path : Path
        Of the file or the folder; a pattern of paths if it holds `*`, `?` or `[` and no file has that name.
    part : str
        The sheet, table, query, array or member of an archive; "" if none was named.
    shown : str
        What messages call it.

    Examples
    --------
    >>> place_of("folder/book.xlsx::May")
    Place(path=PosixPath('folder/book.xlsx'), part='May', shown='book.xlsx')
    """

    path: Path
    part: str = ""
    shown: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether the path stands for several files."""
        return any(sign in str(self.path) for sign in WILD) and not self.path.exists()

    @property
    def title(self) -> str:
        """A name for titles: that of the file without its endings, and the part."""
        name = self.shown or self.path.name
        stem = name.split(".")[0] or name
        return f"{stem} {self.part}".strip()

    def matches(self) -> list[Path]:
        """Return the files that a pattern stands for, by name."""
        return sorted(Path(found) for found in glob.glob(str(self.path), recursive=True))


def place_of(where: str | os.PathLike[str]) -> Place:
    """Take apart what the user wrote; a file whose name holds "::" comes first."""
    text = os.fspath(where)
    path = Path(text).expanduser()
    if PART not in text or path.exists():
        return Place(path, "", path.name or text)
    file, _, part = text.partition(PART)
    path = Path(file).expanduser()
    return Place(path, part.strip(), path.name)


def refuse_absent(place: Place) -> None:
    """Raise an error if there is no such file or folder, it is empty, or must not be read.

    Raises
    ------
    FileNotFoundError, PermissionError
        The message names files with similar names.
    ValueError
        If the file is empty.
    """
    path = place.path
    if place.is_pattern:
        if not place.matches():
            raise FileNotFoundError(f"no file matches {path}{nearby(path)}")
        return
    if not exists(path):
        raise FileNotFoundError(f"there is no file or folder {path}{nearby(path)}")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{path} must not be read by this user: change its permissions (chmod u+r) or its owner")
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"the file {path} is empty (0 bytes); give a file that holds rows")


def exists(path: Path) -> bool:
    """Whether something is at a path; a folder on the way that must not be entered is an error of its own."""
    try:
        return path.exists()
    except PermissionError as error:
        raise PermissionError(f"{path} cannot be reached: a folder on the way must not be entered") from error
    except OSError:  # the name is too long, as a query can be
        return False


def nearby(path: Path) -> str:
    """Return what messages add if files with similar names are there: "; did you mean ...?"."""
    folder = path.parent
    if not folder.is_dir():
        return f": the folder {folder} does not exist"
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    alike = similar(path.name, names)
    near = [name for name in names if name.split(".")[0] == path.name.split(".")[0]]
    found = list(dict.fromkeys([*alike, *near]))[:3]
    return f"; did you mean {' or '.join(str(folder / name) for name in found)}?" if found else ""


def similar(name: str, known: Sequence[str]) -> list[str]:
    """Return the known names that look like this one, whatever their capitals."""
    lower: dict[str, str] = {}
    for other in known:
        lower.setdefault(other.lower(), other)
    return [lower[found] for found in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.6)]


def chosen_part(place: Place, what: str, there: Sequence[str]) -> str:
    """Return the part that the user named.

    Raises
    ------
    ValueError
        If it is not among those that are there; the message lists them.
    """
    if place.part in there:
        return place.part
    alike = [name for name in there if name.lower() == place.part.lower()]
    if len(alike) == 1:
        return alike[0]
    raise ValueError(f"{place.shown} has no {what} {place.part!r}; {listed(what, there)}{meant(place.part, there)}")


def listed(what: str, there: Sequence[str], most: int = 20) -> str:
    """Return the parts of a file as words: "its tables are a, b"."""
    if not there:
        return f"it has no {what} at all"
    names = ", ".join(there[:most]) + (f" and {len(there) - most} more" if len(there) > most else "")
    return f"its only {what} is {names}" if len(there) == 1 else f"its {what}s are {names}"


def meant(name: str, known: Sequence[str]) -> str:
    """Return "; did you mean ...?" if a known name is similar."""
    found = similar(name, known)
    return f"; did you mean {found[0]!r}?" if found else ""
