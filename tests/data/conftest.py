"""A web server on this machine, and an MNIST of a few pixels for it to serve."""

import gzip
import hashlib
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread

import numpy as np
import pytest

from isthmus.data.downloads import Mirrors, PublishedFile


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    length: int | None = None  # what Content-Length says, if not the truth
    together: Barrier | None = None  # answer only when as many requests have come


class Site:
    """Answers each path with its next answer; the last one is repeated, and a path without answers is a 404."""

    def __init__(self):
        self.answers: dict[str, list[Answer]] = {}
        self.visits: dict[str, int] = defaultdict(int)
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                answer = site.next_answer(self.path)
                if answer.together is not None:
                    answer.together.wait(timeout=60)
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = answer.length is not None

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def next_answer(self, path: str) -> Answer:
        answers = self.answers.get(path, [Answer(status=404)])
        self.visits[path] += 1
        return answers[min(self.visits[path], len(answers)) - 1]

    def mirror(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{folder}/"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def idx_bytes(array: np.ndarray) -> bytes:
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 0x08, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


@pytest.fixture
def answer():
    return Answer


@pytest.fixture
def site():
    with Site() as site:
        yield site


@pytest.fixture
def mirrors():
    """Make Mirrors that wait however busy this machine is."""
    return lambda *urls: Mirrors(urls, connect_seconds=60, read_seconds=120)


@pytest.fixture
def no_sources(monkeypatch, tmp_path):
    """Neither the user's folder nor the user's cache; and no proxy stands between us and our own server."""
    monkeypatch.delenv("ISTHMUS_DATA", raising=False)
    monkeypatch.setenv("ISTHMUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def tiny_arrays():
    """An MNIST of 7 + 3 images of 2 x 3 pixels."""
    return {
        "X": np.arange(42).reshape(7, 2, 3),
        "y": np.arange(7),
        "X_test": np.arange(100, 118).reshape(3, 2, 3),
        "y_test": np.arange(3),
    }


@pytest.fixture
def tiny_contents(tiny_arrays):
    return {part: idx_bytes(array) for part, array in tiny_arrays.items()}


@pytest.fixture
def tiny_files(tiny_contents):
    names = {
        "X": "train-images-idx3-ubyte.gz",
        "y": "train-labels-idx1-ubyte.gz",
        "X_test": "t10k-images-idx3-ubyte.gz",
        "y_test": "t10k-labels-idx1-ubyte.gz",
    }
    return {
        part: PublishedFile(names[part], hashlib.md5(content).hexdigest()) for part, content in tiny_contents.items()
    }


@pytest.fixture
def tiny_archives(tiny_contents, tiny_files):
    """The four files as published: {file name: gzip bytes}."""
    return {tiny_files[part].name: gzip.compress(content) for part, content in tiny_contents.items()}
