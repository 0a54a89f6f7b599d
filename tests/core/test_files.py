import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.core import files
from isthmus.core.files import atomic_write


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.isthmus"


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_new_file(path):
    with atomic_write(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_bytes(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert left_in(path.parent) == [path.name]


def test_file_that_was_there(path):
    path.write_bytes(b"old and longer")
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old and longer"
    assert path.read_bytes() == b"new"
    assert left_in(path.parent) == [path.name]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
@pytest.mark.parametrize("old", [b"old", None])
def test_block_that_ends_badly(path, old, failure):
    if old is not None:
        path.write_bytes(old)

    def write_a_part():
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"ne")
            raise failure

    with pytest.raises(failure):
        write_a_part()
    assert left_in(path.parent) == ([] if old is None else [path.name])
    assert old is None or path.read_bytes() == old


def test_rename_that_fails(path):
    path.mkdir()
    with pytest.raises(OSError, match=path.name), atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
    assert left_in(path.parent) == [path.name]
    assert path.is_dir()


def test_two_at_once_do_not_share_a_temporary_file(path):
    with atomic_write(path) as first, atomic_write(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert left_in(path.parent) == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="permission bits are POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o000])
def test_permissions_are_those_of_any_new_file(path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"x")
        fresh = path.with_name("fresh")
        fresh.write_bytes(b"x")
    finally:
        os.umask(before)
    assert path.stat().st_mode == fresh.stat().st_mode


def test_missing_folder(path):
    missing = path.parent / "no" / path.name
    with pytest.raises(FileNotFoundError, match="no"), atomic_write(missing):
        pytest.fail("the block has to stay unentered")
    assert left_in(path.parent) == []


def test_a_file_that_must_not_be_replaced(path):
    with atomic_write(path, replace=False) as temporary:
        temporary.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"
    with pytest.raises(FileExistsError), atomic_write(path, replace=False) as temporary:
        temporary.write_bytes(b"new")
    assert path.read_bytes() == b"mine"
    assert left_in(path.parent) == [path.name]


def test_without_hard_links(path, monkeypatch):
    def refuse(*paths):
        raise PermissionError("no hard links here")

    monkeypatch.setattr("os.link", refuse)
    with atomic_write(path, replace=False) as temporary:
        temporary.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"
    with pytest.raises(FileExistsError, match="in the meantime"), atomic_write(path, replace=False) as temporary:
        temporary.write_bytes(b"new")
    assert left_in(path.parent) == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="permission bits are POSIX")
def test_a_file_that_is_replaced_keeps_its_permissions(path):
    path.write_bytes(b"old")
    path.chmod(0o440)
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
    assert path.stat().st_mode & 0o777 == 0o440


# -- what killed writers leave ----------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="processes are told apart on POSIX systems")
WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from isthmus.core.files import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def part_of(path, process, start=0, system=None):
    return path.with_name(f".{path.name}.{system or files.system()}-{process}-{start}-0123abcd.part")


@posix
def test_what_a_killed_process_left_is_removed_by_the_next_save(path):
    source = str(Path(files.__file__).parents[2])
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), source], stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"writing\n"
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"new")
        assert len(left_in(path.parent)) == 2, "what another process is writing stays"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"newer")
        assert left_in(path.parent) == [path.name]
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


@posix
def test_only_what_nobody_writes_any_more_is_removed(path):
    own = files.start_of(os.getpid()) or 0
    kept = [
        part_of(path, os.getpid(), own),
        part_of(path, 1, 0),
        part_of(path, 999_999_999, system="0" * 8),
        part_of(path.with_name("other"), 999_999_999),
        path.with_name(f".{path.name}.part"),
    ]
    gone = [part_of(path, 999_999_999), part_of(path, 10**30)]
    old = part_of(path, 5, system="1" * 8)
    for file in [*kept, *gone, old]:
        file.touch()
    os.utime(old, (1.0, 1.0))
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"new")
    assert left_in(path.parent) == sorted(file.name for file in [*kept, path])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux says when a process began")
def test_a_number_that_was_given_to_a_later_process_is_no_writer():
    own = files.start_of(os.getpid())
    assert files.runs(os.getpid(), own)
    assert not files.runs(os.getpid(), own - 1)


@posix
def test_failures_on_a_full_disk_name_the_file_and_leave_no_descriptor(path):
    before = len(os.listdir("/dev/fd"))

    def fail():
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"x")
            raise OSError(errno.ENOSPC, "No space left on device")

    for _ in range(20):
        with pytest.raises(OSError, match=path.name) as error:
            fail()
        assert error.value.errno == errno.ENOSPC
    assert len(os.listdir("/dev/fd")) == before
    assert left_in(path.parent) == []
