"""Files that others publish: where they are kept, that they are the right ones, and how they are fetched."""

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
ABANDONED_AFTER_SECONDS = 3600.0


class WrongContentError(ValueError):
    """A file is damaged, or it is not the file that was published."""


class DownloadError(OSError):
    """No mirror gave the file; the message says what each of them did."""


class MirrorError(Exception):
    """What one mirror did instead of giving the file; `final` when asking it again would not help."""

    def __init__(self, what: str, final: bool):
        super().__init__(what)
        self.final = final


@dataclass(frozen=True)
class PublishedFile:
    """A file as its publisher named it, and the MD5 of its bytes.

    The digest is of the decompressed bytes: mirrors compress anew, so the `.gz` wrappers differ among them.
    """

    name: str
    md5: str


@dataclass(frozen=True)
class Mirrors:
    """The folders on the web that hold the same files, in the order in which they are asked, and how patiently.

    Parameters
    ----------
    urls : tuple of str
        Each ends with a slash; a file's name comes after it.
    connect_seconds : float
        How long a mirror may take to accept a connection, the look-up of its name included.
    read_seconds : float
        How long it may stay silent once connected.
    rounds : int
        How often each mirror is asked; only one that began and failed is asked again.
    """

    urls: tuple[str, ...]
    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    rounds: int = 2


def cache_folder() -> Path:
    """Return `$ISTHMUS_CACHE`, else `$XDG_CACHE_HOME/isthmus`, else `~/.cache/isthmus`: where downloads are kept."""
    if own := os.environ.get("ISTHMUS_CACHE"):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "isthmus"
    return Path.home() / ".cache" / "isthmus"


def checked_content(path: Path, file: PublishedFile) -> bytes:
    """Return the decompressed bytes of `path` if they are those of the published file.

    Every source of a published file passes through here: the user's folder, the cache and the download.

    Raises
    ------
    WrongContentError
        If the gzip wrapper is cut short or damaged, or the MD5 is another than the published one.
    """
    try:
        content = decompressed(path.read_bytes(), str(path))
    except ValueError as error:
        raise WrongContentError(str(error)) from None
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if actual != file.md5:
        raise WrongContentError(
            f"{path} is not the published {file.name}: the MD5 of its decompressed bytes should be {file.md5}, "
            f"it is {actual}"
        )
    return content


def download(file: PublishedFile, path: Path, mirrors: Mirrors) -> tuple[bytes, str]:
    """Fetch a file into `path` from the first mirror that gives the right one.

    `path` appears whole and checked or not at all. Two processes may fetch the same file at once; the last one wins.

    Returns
    -------
    content : bytes
        The decompressed bytes of the file.
    host : str
        The mirror that gave it.

    Raises
    ------
    DownloadError
        If no mirror gave the right file; the message tells what each of them did.
    MissingExtraError
        If pooch is not installed.
    OSError
        If the folder of `path` cannot be written to.
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
    """Fetch a file into `path` from one mirror and return its decompressed bytes, or raise MirrorError."""
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
        response.close()  # pooch leaves it open
        status = response.status_code
        raise MirrorError(f"answered {status} {response.reason}", final=status < 500) from None
    except WrongContentError:
        raise MirrorError("gave a file with another content than the published one", final=False) from None
    except RequestException as error:
        raise MirrorError(f"broke off the transfer ({type(error).__name__})", final=False) from None


def uses_proxy(url: str) -> bool:
    """Say whether a request for `url` goes through a proxy, which then looks up the host in our stead."""
    parts = urlsplit(url)
    proxies = getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(parts.netloc)


def reachable(url: str, seconds: float) -> bool:
    """Say whether the host of `url` accepts a connection within `seconds` altogether.

    An HTTP client's connect timeout is for one address: it does not cover the look-up of the name, which can hang for
    half a minute without a network, and it starts anew for each of a host's addresses. Hence a thread.
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
    """Remove the temporary files that a killed process left beside `path`; younger ones may be another's work."""
    for temporary in path.parent.glob(f".{path.name}.*.part"):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                temporary.unlink()


class DownloadBar:
    """A bar of rich that speaks pooch's protocol for progress bars: `total`, `update`, `reset`, `close`."""

    def __init__(self, progress: "Progress", label: str):
        self.progress = progress
        self.task = progress.add_task(label, total=None)

    @property
    def total(self) -> float | None:
        """The size of the file in bytes, None while it is not known."""
        return self.progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        # pooch says 0 when the server did not give a length
        self.progress.update(self.task, total=size or None)

    def update(self, size: int) -> None:
        """Count `size` more bytes as received."""
        self.progress.advance(self.task, size)

    def reset(self) -> None:
        """Count from zero again."""
        self.progress.reset(self.task)

    def close(self) -> None:
        """Leave the closing to `progress_bar`, which also closes the bar of a download that failed."""


@contextmanager
def progress_bar(label: str) -> Iterator[DownloadBar | bool]:
    """Yield what pooch takes as `progressbar`: a bar on standard error if that is a terminal, else False."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield False
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield DownloadBar(progress, label)
