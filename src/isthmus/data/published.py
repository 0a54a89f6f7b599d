"""Published data sets: finding their files in the user's folder, in the cache, or by a download."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from isthmus.data.downloads import (
    LOGGER,
    DownloadError,
    Mirrors,
    PublishedFile,
    WrongContentError,
    cache_folder,
    checked_content,
    download,
)


@dataclass(frozen=True)
class Publication:
    """The files of a published data set, their folder in `ISTHMUS_DATA` and in the cache, and their mirrors."""

    folder: str
    files: Mapping[str, PublishedFile]
    mirrors: Mirrors


class Found(NamedTuple):
    """The decompressed bytes of a published file, and where they came from."""

    content: bytes
    source: str


class NotFoundError(Exception):
    """Raised if a source does not have the file; the message says why."""


def find_in_folder(publication: Publication, file: PublishedFile) -> Found:
    """Find a file, compressed or not, in the folder that the user named; a wrong file there is an error."""
    root = os.environ.get("ISTHMUS_DATA")
    if not root:
        raise NotFoundError("ISTHMUS_DATA is not set")
    published = Path(root).expanduser() / publication.folder / file.name
    for path in (published, published.with_suffix("")):
        if path.is_file():
            return Found(checked_content(path, file), "folder <ISTHMUS_DATA>")
    raise NotFoundError(f"{publication.folder}/{file.name} is not in the folder of ISTHMUS_DATA")


def find_in_cache(publication: Publication, file: PublishedFile) -> Found:
    """Find a file that was downloaded before; a wrong file is deleted, because it can be downloaded again."""
    path = cache_folder() / publication.folder / file.name
    try:
        return Found(checked_content(path, file), "cache")
    except WrongContentError as error:
        LOGGER.warning("discarded from the cache: %s", error)
        discard(path)
        raise NotFoundError(f"{file.name} in the cache was damaged and is discarded") from None
    except FileNotFoundError:
        raise NotFoundError(f"{file.name} is not in the cache") from None
    except OSError as error:
        raise NotFoundError(f"the cache cannot be read ({error})") from None


def discard(path: Path) -> None:
    """Remove a file if possible; otherwise the download replaces it."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        LOGGER.warning("cannot remove it: %s", error)


def find_by_download(publication: Publication, file: PublishedFile) -> Found:
    """Download a file into the cache."""
    try:
        content, host = download(file, cache_folder() / publication.folder / file.name, publication.mirrors)
    except DownloadError as error:
        raise NotFoundError(f"downloading {file.name} failed: {error}") from None
    except OSError as error:
        raise NotFoundError(f"the cache cannot be written to ({error}; set ISTHMUS_CACHE to another folder)") from None
    return Found(content, f"download from {host}")


FINDERS: dict[str, Callable[[Publication, PublishedFile], Found]] = {
    "folder": find_in_folder,
    "cache": find_in_cache,
    "download": find_by_download,
}
"""The sources of published files, in the order in which they are tried."""


def find(publication: Publication, file: PublishedFile, sources: tuple[str, ...]) -> Found:
    """Find a file in the first source that has it."""
    reasons = []
    for source in sources:
        try:
            return FINDERS[source](publication, file)
        except NotFoundError as reason:
            reasons.append(str(reason))
    raise NotFoundError("; ".join(reasons))
