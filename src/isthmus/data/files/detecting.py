"""Which format a file has: by what the user says, its first bytes, and its ending, in this order."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.core.choices import refuse_unknown
from isthmus.data.files.compression import (
    ENDINGS,
    compression_of,
    damage_told,
    head_of,
    inner_name,
    members,
    open_bytes,
)
from isthmus.data.files.places import Place
from isthmus.data.files.registry import FORMATS, FileFormat, format_of_ending
from isthmus.data.files.signatures import HEAD, looks_like_json, refuse_foreign, signature
from isthmus.data.files.spilling import TemporaryFolder

ALIASES = {"txt": "csv", "jsonl": "json", "ndjson": "json", "xlsx": "excel", "feather": "arrow", "pq": "parquet"}
"""Other names of formats."""


@dataclass(frozen=True)
class Detected:
    """A file and its format."""

    place: Place
    format: FileFormat
    notes: tuple[str, ...] = ()
    """What is to be told of how it was found."""


def readable() -> list[str]:
    """Return the names of all formats that are read."""
    return [name for name, known in FORMATS.items() if known.read is not None]


def named_format(name: str, known: Sequence[str]) -> FileFormat:
    """Return the format that the user named, with or without a dot.

    Raises
    ------
    ValueError
        If it is unknown; the message lists those that are known.
    """
    short = name.lower().removeprefix(".")
    short = ALIASES.get(short, short)
    refuse_unknown("format", short, known)
    return FORMATS[short]


def detected(place: Place, given: str | None, folder: TemporaryFolder) -> Detected:
    """Find the format of a file, a folder or a pattern of paths.

    Raises
    ------
    ValueError
        If it is of a kind that is not read, or the user's format is unknown.
    """
    if place.is_pattern or place.path.is_dir():
        others = [path.name for path in place.matches() if path.suffix.lower() not in FORMATS["parquet"].endings]
        if place.is_pattern and others:
            raise ValueError(
                f"{place.path} stands for {others[0]} too: several files are read together only if they are Parquet; "
                "name one file, or write them as Parquet"
            )
        return Detected(place, FORMATS["parquet"])
    if given is not None:
        format_ = named_format(given, readable())
        refuse_other_bytes(place, format_)
        return Detected(place, format_)
    compressed = compression_of(place.path)
    if compressed == "zip" and (container := zipped_format(place)):
        return Detected(place, FORMATS[container], lies(place.path.name, FORMATS[container]))
    if compressed:
        return inside(place, compressed, folder)
    if place.path.suffix.lower() in ENDINGS and not compressed:
        return by_bytes(place, head_of(place.path), place.path.stem, [f"{place.shown} is not compressed after all"])
    return by_bytes(place, head_of(place.path), place.path.name, [])


def refuse_other_bytes(place: Place, given: FileFormat) -> None:
    """Raise a `ValueError` if the first bytes of a file are not those of the format that the user named."""
    head = head_of(place.path)
    mark = signature(head)
    if mark == "zip":
        mark = zipped_format(place)
    if (mark in FORMATS and mark != given.name) or (not mark and not given.inside):
        found = FORMATS[mark].what if mark else "something else"
        raise ValueError(
            f"{place.shown} is no {given.what}: by its first bytes, {head[:8]!r}, it is {found}; leave the format out, "
            "or give the right one"
        )


def zipped_format(place: Place) -> str:
    """Return which format of its own an archive is: Excel, or arrays of numpy; "" for a plain archive."""
    with damage_told(place.shown), zipfile.ZipFile(place.path) as archive:
        names = members(archive)
    if "xl/workbook.xml" in names:
        return "excel"
    return "npz" if names and all(name.endswith(".npy") for name in names) else ""


def inside(place: Place, compressed: str, folder: TemporaryFolder) -> Detected:
    """Find the format of what is within a compressed file; files that must be whole are unpacked first."""
    name = inner_name(place)
    with open_bytes(place) as file:
        head = file.read(HEAD)
    if not head:
        raise ValueError(f"{place.shown} holds an empty file; give one that holds rows")
    found = by_bytes(place, head, name, [f"compressed with {compressed}"])
    if found.format.inside:
        return found
    unpacked = folder.path / "unpacked"
    with open_bytes(place) as file, open(unpacked, "wb") as target:
        while block := file.read(1 << 20):
            target.write(block)
    part = "" if compressed == "zip" else place.part
    return Detected(Place(unpacked, part, place.shown), found.format, found.notes)


def by_bytes(place: Place, head: bytes, name: str, notes: list[str]) -> Detected:
    """Find the format by the first bytes and by the ending; where these disagree, the bytes are right."""
    refuse_foreign(head, place.shown)
    mark = signature(head)
    ending = format_of_ending(name)
    if mark in FORMATS:
        return Detected(place, FORMATS[mark], (*notes, *lies(name, FORMATS[mark])))
    if mark:
        raise ValueError(f"{place.shown} is compressed twice ({mark} within); unpack it first")
    if ending is not None and ending.inside:
        return Detected(place, ending, tuple(notes))
    format_ = FORMATS["json" if looks_like_json(head) else "csv"]
    if ending is None:
        return Detected(place, format_, (*notes, f"taken for {format_.what}, by its first bytes"))
    if not is_text(head):
        raise ValueError(
            f"{place.shown} is no {ending.what}: it begins with {head[:8]!r}; it is damaged, or its ending is wrong"
        )
    return Detected(place, format_, (*notes, f"the ending of {name} says {ending.name}, but it holds text"))


def is_text(head: bytes) -> bool:
    """Whether the first bytes are text."""
    return not any(byte < 9 or 13 < byte < 32 for byte in head)


def lies(name: str, found: FileFormat) -> tuple[str, ...]:
    """Return what to tell if the ending of a file says another format than its bytes."""
    ending = format_of_ending(name)
    if ending is found:
        return ()
    what = f"says {ending.name}" if ending is not None else "says nothing"
    return (f"the ending of {name} {what}; by its first bytes it is {found.what}",)
