import gzip
import io
import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Barrier, Event

import pytest

from isthmus.data.downloads import (
    ABANDONED_AFTER_SECONDS,
    DownloadError,
    Mirrors,
    MissingExtraError,
    PublishedFile,
    WrongContentError,
    cache_folder,
    checked_content,
    download,
)

pytestmark = pytest.mark.usefixtures("no_sources")


@pytest.fixture
def file(tiny_files) -> PublishedFile:
    return tiny_files["X"]


@pytest.fixture
def content(tiny_contents) -> bytes:
    return tiny_contents["X"]


@pytest.fixture
def archive(content) -> bytes:
    return gzip.compress(content)


@pytest.fixture
def path(tmp_path, file) -> Path:
    return tmp_path / "cache" / "mnist" / file.name


class Terminal(io.StringIO):
    def isatty(self):
        return True


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "decompressed on the way"])
def test_good_file(site, answer, file, path, content, compressed, mirrors):
    body = gzip.compress(content) if compressed else content
    site.answers[f"/a/{file.name}"] = [answer(body)]
    got, host = download(file, path, mirrors(site.mirror("a")))
    assert got == content
    assert host == f"127.0.0.1:{site.server.server_port}"
    assert path.read_bytes() == body
    assert left_in(path.parent) == [file.name]


def test_replaces_what_was_there(site, answer, file, path, content, archive, mirrors):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    site.answers[f"/a/{file.name}"] = [answer(archive)]
    assert download(file, path, mirrors(site.mirror("a")))[0] == content
    assert path.read_bytes() == archive


def failing_answers(answer, archive):
    return {
        "404": (answer(status=404), "answered 404 Not Found", 1),
        "503": (answer(status=503), "answered 503 Service Unavailable", 2),
        "other content": (answer(gzip.compress(b"other")), "whose content is not the published one", 2),
        "half the archive": (answer(archive[:-20]), "whose content is not the published one", 2),
        "a log-in page": (answer(b"<html>welcome</html>"), "whose content is not the published one", 2),
        "nothing": (answer(b""), "whose content is not the published one", 2),
        "cut connection": (answer(archive[:-20], length=len(archive)), "broke off the transfer", 2),
    }


FAILURES = ["404", "503", "other content", "half the archive", "a log-in page", "nothing", "cut connection"]


@pytest.mark.parametrize("failure", FAILURES)
def test_failure_leaves_nothing_and_says_what_happened(site, answer, file, path, archive, failure, mirrors):
    failing, said, visits = failing_answers(answer, archive)[failure]
    site.answers[f"/a/{file.name}"] = [failing]
    with pytest.raises(DownloadError, match=rf"^127\.0\.0\.1:\d+ .*{said}"):
        download(file, path, mirrors(site.mirror("a")))
    assert left_in(path.parent) == []
    assert site.visits[f"/a/{file.name}"] == visits


@pytest.mark.parametrize("failure", FAILURES)
def test_second_mirror_after_the_first_failed(site, answer, file, path, content, archive, failure, mirrors):
    site.answers[f"/a/{file.name}"] = [failing_answers(answer, archive)[failure][0]]
    site.answers[f"/b/{file.name}"] = [answer(archive)]
    assert download(file, path, mirrors(site.mirror("a"), site.mirror("b")))[0] == content
    assert left_in(path.parent) == [file.name]
    assert site.visits[f"/a/{file.name}"] == 1


def test_second_round_after_all_mirrors_failed(site, answer, file, path, content, archive, mirrors):
    site.answers[f"/a/{file.name}"] = [answer(archive[:-20], length=len(archive)), answer(archive)]
    site.answers[f"/b/{file.name}"] = [answer(status=404)]
    assert download(file, path, mirrors(site.mirror("a"), site.mirror("b")))[0] == content
    assert site.visits == {f"/a/{file.name}": 2, f"/b/{file.name}": 1}


def test_first_mirror_down(site, answer, file, path, content, archive, mirrors):
    site.answers[f"/b/{file.name}"] = [answer(archive)]
    urls = f"http://127.0.0.1:{closed_port()}/a/", site.mirror("b")
    assert download(file, path, mirrors(*urls))[0] == content


def test_no_network(file, path, mirrors):
    ports = closed_port(), closed_port()
    with pytest.raises(DownloadError) as error:
        download(file, path, mirrors(*(f"http://127.0.0.1:{port}/" for port in ports)))
    assert str(error.value) == "; ".join(f"127.0.0.1:{port} cannot be reached" for port in dict.fromkeys(ports))
    assert left_in(path.parent) == []


def test_name_service_that_never_answers(monkeypatch, file, path):
    release, asked = Event(), Event()

    def look_up(*args, **options):
        asked.set()
        release.wait()
        raise OSError("gave up at last")

    monkeypatch.setattr(socket, "create_connection", look_up)
    try:
        with pytest.raises(DownloadError, match=r"^mirror\.example cannot be reached$"):
            download(file, path, Mirrors(("https://mirror.example/",), connect_seconds=0.01))
        assert asked.wait(timeout=60)
    finally:
        release.set()


def test_mirror_that_falls_silent(site, answer, file, path, archive):
    never = Barrier(2)
    site.answers[f"/a/{file.name}"] = [answer(archive, together=never)]
    try:
        with pytest.raises(DownloadError, match=r"broke off the transfer \(ReadTimeout\)$"):
            download(file, path, Mirrors((site.mirror("a"),), connect_seconds=60, read_seconds=0.1, rounds=1))
    finally:
        never.wait(timeout=60)
    assert left_in(path.parent) == []


def test_proxy_is_asked_in_place_of_the_mirror(monkeypatch, file, path, mirrors):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("http_proxy", os.environ["HTTP_PROXY"])
    with pytest.raises(DownloadError, match=r"^mirror\.example broke off the transfer \(ProxyError\)$"):
        download(file, path, mirrors("http://mirror.example/"))


TWIN = """
import sys
from pathlib import Path
from isthmus.data.downloads import Mirrors, PublishedFile, download
name, md5, path, url = sys.argv[1:]
content, _ = download(PublishedFile(name, md5), Path(path), Mirrors((url,), 60, 120))
sys.stdout.buffer.write(content)
"""


def test_two_processes_at_once(site, answer, file, path, content, archive):
    site.answers[f"/a/{file.name}"] = [answer(archive, together=Barrier(2))]
    command = [sys.executable, "-c", TWIN, file.name, file.md5, str(path), site.mirror("a")]
    twins = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for twin in twins:
        out, err = twin.communicate(timeout=300)
        assert (out, err, twin.returncode) == (content, b"", 0)
    assert site.visits[f"/a/{file.name}"] == 2
    assert path.read_bytes() == archive
    assert left_in(path.parent) == [file.name]


def test_interrupted_download_leaves_nothing(monkeypatch, site, answer, file, path, archive, mirrors):
    import pooch

    def interrupted(self, url, output_file, _):
        Path(output_file).write_bytes(archive[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(file, path, mirrors(site.mirror("a")))
    assert left_in(path.parent) == []


def test_what_a_killed_process_left_is_removed(site, answer, file, path, archive, mirrors):
    path.parent.mkdir(parents=True)
    old, young = (path.parent / f".{file.name}.{age}.part" for age in ("old", "young"))
    for temporary in (old, young):
        temporary.write_bytes(archive[:10])
    long_ago = time.time() - 2 * ABANDONED_AFTER_SECONDS
    os.utime(old, (long_ago, long_ago))
    site.answers[f"/a/{file.name}"] = [answer(archive)]
    download(file, path, mirrors(site.mirror("a")))
    assert left_in(path.parent) == [young.name, file.name]


def test_without_pooch(monkeypatch, file, path, mirrors):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"needs pooch: pip install 'isthmus\[datasets\]'$"):
        download(file, path, mirrors("http://127.0.0.1:1/"))


def test_progress_on_a_terminal(monkeypatch, site, answer, file, path, archive, mirrors):
    site.answers[f"/a/{file.name}"] = [answer(archive[:-20], length=len(archive)), answer(archive)]
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    download(file, path, mirrors(site.mirror("a")))
    shown = sys.stderr.getvalue()
    assert file.name in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") > 0, (
        "the cursor is hidden as often as it is shown again"
    )


def test_no_progress_into_a_file(monkeypatch, site, answer, file, path, archive, mirrors):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    site.answers[f"/a/{file.name}"] = [answer(archive)]
    download(file, path, mirrors(site.mirror("a")))
    assert sys.stderr.getvalue() == ""


def test_log_names_the_mirrors(caplog, site, answer, file, path, archive, mirrors):
    site.answers[f"/b/{file.name}"] = [answer(archive)]
    with caplog.at_level(logging.INFO, "isthmus"):
        download(file, path, mirrors(site.mirror("a"), site.mirror("b")))
    failed, downloaded = (record.message for record in caplog.records if record.name == "isthmus")
    assert failed.endswith("answered 404 Not Found")
    assert f"{file.name} downloaded from 127.0.0.1" in downloaded


def test_checked_content(tmp_path, file, content, archive):
    for name, body in (("a.gz", archive), ("a", content), ("again.gz", gzip.compress(content, compresslevel=1))):
        (tmp_path / name).write_bytes(body)
        assert checked_content(tmp_path / name, file) == content


def test_wrong_content_is_named_with_both_digests(tmp_path, file):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(WrongContentError) as error:
        checked_content(tmp_path / "a", file)
    for part in (str(tmp_path / "a"), file.name, file.md5, "d41d8cd98f00b204e9800998ecf8427e"):
        assert part in str(error.value)


def test_cut_archive_is_wrong_content(tmp_path, file, archive):
    (tmp_path / "a.gz").write_bytes(archive[:-3])
    with pytest.raises(WrongContentError, match=r"a\.gz is cut short"):
        checked_content(tmp_path / "a.gz", file)


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ISTHMUS_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("ISTHMUS_CACHE", "")
    assert cache_folder() == tmp_path / "shared" / "isthmus"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "isthmus"
