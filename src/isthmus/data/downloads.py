"""Published files: where downloads are kept, how their content is checked, and how they are fetched."""

import hashlib
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from isthmus.core.extras import MissingExtraError
from isthmus.core.files import atomic_write
from isthmus.data.idx import decompressed

if TYPE_CHECKING:
    from requests import Response
    from rich.progress import Progress

LOGGER = logging.getLogger("isthmus")
CHUNK_BYTES = 1 << 16
"""Bytes that are read from a connection at a time."""
ABANDONED_AFTER_SECONDS = 3600.0
"""A temporary file that is older than this was left by a process that no longer runs."""


class WrongContentError(ValueError):
    """Raised if a file is damaged, or is not the file that was published."""


class DownloadError(OSError):
    """Raised if no mirror gave the file; the message says what each of them did."""


class MirrorError(Exception):
    """Raised if one mirror did not give the file; `final` states that asking it again would not help."""

    def __init__(self, what: str, final: bool):
        super().__init__(what)
        self.final = final


@dataclass(frozen=True)
class PublishedFile:
    """A file as its publisher named it, and the MD5 digest of its decompressed bytes.

    The compressed bytes differ between mirrors, because each mirror compresses the file itself.
    """

    name: str
    md5: str


@dataclass(frozen=True)
class Mirrors:
    """Web folders that hold the same files, in the order in which they are tried, and the time limits.

    Parameters
    ----------
    urls : tuple of str
        Addresses of the folders; each must end with a slash, and a file's name is appended.
    connect_seconds : float
        Longest time in seconds for a mirror to accept a connection, including the look-up of its name.
    read_seconds : float
        Longest time in seconds for a connected mirror to send nothing.
    rounds : int
        How often each mirror is tried; only a mirror that may succeed later is tried again.
    """

    urls: tuple[str, ...]
    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    rounds: int = 2


def cache_folder() -> Path:
    """Return where downloads are kept: `$ISTHMUS_CACHE`, else `$XDG_CACHE_HOME/isthmus`, else `~/.cache/isthmus`."""
    if own := os.environ.get("ISTHMUS_CACHE"):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "isthmus"
    return Path.home() / ".cache" / "isthmus"


def checked_content(path: Path, file: PublishedFile) -> bytes:
    """Return the decompressed bytes of `path` after checking that they are those of the published file.

    Files from every source are checked here: the user's folder, the cache and downloads.

    Raises
    ------
    WrongContentError
        If the gzip data are cut short or damaged, or the MD5 digest is not the published one.
    """
    try:
        content = decompressed(path.read_bytes(), str(path))
    except ValueError as error:
        raise WrongContentError(str(error)) from None
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if actual != file.md5:
        raise WrongContentError(
            f"{path} is not the published {file.name}: the MD5 of its decompressed bytes should be {file.md5}, "
            f"it is {actual}; delete the file, or replace it"
        )
    return content


def download(file: PublishedFile, path: Path, mirrors: Mirrors) -> tuple[bytes, str]:
    """Download a file to `path` from the first mirror that gives the right one.

    `path` is written only as a whole, after its content was checked. Two processes may download the same file at the
    same time: the last one wins.

    Returns
    -------
    content : bytes
        The decompressed bytes of the file.
    host : str
        Host of the mirror that gave it.

    Raises
    ------
    DownloadError
        If no mirror gave the right file; the message says what each of them did.
    MissingExtraError
        If pooch is not installed.
    OSError
        If `path` cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    failures: dict[str, str] = {}
    urls = mirrors.urls
    for _ in range(mirrors.rounds):
        worth_another_round = []
        for url in urls:
            host = urlsplit(url).netloc
            try:
                content = download_from(url, file, path, mirrors)
            except MirrorError as failure:
                LOGGER.info("%s from %s: %s", file.name, host, failure)
                failures[host] = str(failure)
                if not failure.final:
                    worth_another_round.append(url)
            else:
                LOGGER.info("%s downloaded from %s", file.name, host)
                return content, host
        urls = tuple(worth_another_round)
    raise DownloadError("; ".join(f"{host} {what}" for host, what in failures.items()))


def download_from(url: str, file: PublishedFile, path: Path, mirrors: Mirrors) -> bytes:
    """Download a file to `path` from one mirror and return its decompressed bytes, or raise a `MirrorError`."""
    try:
        from pooch import HTTPDownloader
    except ImportError:
        raise MissingExtraError(f"downloading {file.name}", "pooch", extra="datasets") from None
    from requests.exceptions import HTTPError, RequestException

    if not uses_proxy(url) and not reachable(url, mirrors.connect_seconds):
        raise MirrorError("cannot be reached", final=True)
    try:
        with atomic_write(path) as temporary:
            with progress_bar(file.name) as bar:
                timeout = (mirrors.connect_seconds, mirrors.read_seconds)
                fetch = HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=timeout)
                fetch(url + file.name, str(temporary), None)
            return checked_content(temporary, file)
    except HTTPError as error:
        response = cast("Response", error.response)
        response.close()  # pooch leaves it open.
        status = response.status_code
        raise MirrorError(f"answered {status} {response.reason}", final=status < 500) from None
    except WrongContentError:
        raise MirrorError("gave a file whose content is not the published one", final=False) from None
    except RequestException as error:
        raise MirrorError(f"broke off the transfer ({type(error).__name__})", final=False) from None


def uses_proxy(url: str) -> bool:
    """Whether a request for `url` goes through a proxy, which then looks up the host itself."""
    parts = urlsplit(url)
    proxies = getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(parts.netloc)


def reachable(url: str, seconds: float) -> bool:
    """Whether the host of `url` accepts a connection within this many seconds in total.

    The connection is tried in a thread, because the timeout of an HTTP client covers one address only: it excludes the
    look-up of the name, which can take half a minute without a network, and restarts for each address of the host.
    """
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    connected, done = Event(), Event()

    def connect() -> None:
        with suppress(OSError), socket.create_connection(address, timeout=seconds):
            connected.set()
        done.set()

    Thread(target=connect, daemon=True).start()
    done.wait(seconds)
    return connected.is_set()


def remove_abandoned(path: Path) -> None:
    """Remove temporary files of `path` that a killed process left; recent ones may belong to a running process."""
    for temporary in path.parent.glob(f".{path.name}.*.part"):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                temporary.unlink()


class DownloadBar:
    """A progress bar of rich with the methods that pooch expects: `total`, `update`, `reset`, `close`."""

    def __init__(self, progress: "Progress", label: str):
        self.progress = progress
        self.task = progress.add_task(label, total=None)

    @property
    def total(self) -> float | None:
        """The size of the file in bytes; None if it is not known yet."""
        return self.progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        # pooch passes 0 if the server did not give a length.
        self.progress.update(self.task, total=size or None)

    def update(self, size: int) -> None:
        """Count `size` more bytes as received."""
        self.progress.advance(self.task, size)

    def reset(self) -> None:
        """Restart the count at 0."""
        self.progress.reset(self.task)

    def close(self) -> None:
        """Do nothing: `progress_bar` closes the bar, also when a download failed."""


@contextmanager
def progress_bar(label: str) -> Iterator[DownloadBar | bool]:
    """Yield the value of pooch's `progressbar`: a bar on standard error if that is a terminal, else False."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield False
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield DownloadBar(progress, label)
