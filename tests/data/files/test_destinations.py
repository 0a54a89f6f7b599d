import errno
import multiprocessing
import os
import stat

import numpy as np
import pyarrow as pa
import pytest

from isthmus.data.files import destinations, open_file, write_table
from isthmus.data.files.destinations import destination

TABLE = pa.table({"a": [1, 2]})


def test_a_file_that_is_there_is_kept(tmp_path):
    path = write_table(TABLE, tmp_path / "a.csv")
    with pytest.raises(FileExistsError, match="is there already; give another name, or force it"):
        write_table(pa.table({"b": [1]}), path)
    assert path.read_text() == "a\n1\n2\n"
    path.chmod(0o640)
    write_table(pa.table({"b": [1]}), path, force=True)
    assert path.read_text() == "b\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_what_is_read_is_not_written(tmp_path, link):
    path = write_table(TABLE, tmp_path / "a.csv")
    output = tmp_path / "b.csv"
    if link is None:
        output = tmp_path / "x" / ".." / "a.csv"
        (tmp_path / "x").mkdir()
    else:
        link(path, output)
    with pytest.raises(ValueError, match="is the file that is read"):
        write_table(TABLE, output, force=True, inputs=[f"{path}::part"])


def test_a_link_stays_a_link(tmp_path):
    path = write_table(TABLE, tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to(path)
    write_table(pa.table({"b": [1]}), tmp_path / "b.csv", force=True)
    assert (tmp_path / "b.csv").is_symlink()
    assert path.read_text() == "b\n1\n"


@pytest.mark.parametrize(
    ("where", "kind", "message"),
    [
        ("no/a.csv", FileNotFoundError, "the folder .*no for a.csv does not exist; create it first"),
        ("folder.csv", IsADirectoryError, "is a folder; give the name of a file"),
        ("a.docx", ValueError, "an ending that is not written; give one of .arrow, .csv|.csv, .feather"),
        ("a.sqlite", ValueError, "an ending that is not written"),
        ("a.zip", ValueError, "an ending that is not written"),
        ("a.parquet.gz", ValueError, "is compressed by itself; leave .gz out"),
    ],
)
def test_impossible_places_are_refused(tmp_path, where, kind, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(kind, match=message):
        destination(tmp_path / where)


def test_places_without_permission_are_refused(tmp_path, monkeypatch):
    path = write_table(TABLE, tmp_path / "a.csv")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"a.csv must not be written by this user"):
        destination(path, force=True)
    with pytest.raises(PermissionError, match=r"the folder .* must not be written"):
        destination(tmp_path / "b.csv")


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write_table(TABLE, tmp_path / "a.csv")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        OSError, match=r"the disk is full: .*a.csv was not written, and nothing of it is left"
    ) as caught:
        write_table(pa.table({"b": [1]}), path, force=True)
    assert caught.value.errno == errno.ENOSPC
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "a\n1\n2\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "feather", "npy", "npz", "xlsx", "mtx"])
def test_a_device_without_room(name):
    rows = np.zeros((20_000, 3))
    with pytest.raises(OSError, match="the disk is full"):
        write_table(rows, "/dev/full", format=name)


def test_a_file_of_another_process_is_not_replaced(tmp_path):
    def pieces():
        yield TABLE
        (tmp_path / "a.csv").write_text("theirs\n")

    with pytest.raises(FileExistsError, match="written by another process in the meantime"):
        write_table(pieces(), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "theirs\n"
    assert len(list(tmp_path.iterdir())) == 1


def write_many(path, value):
    for _ in range(5):
        write_table(np.full((2_000, 1), value), path, force=True)


def test_two_processes_do_not_mix(tmp_path):
    path = tmp_path / "a.csv"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(path, value)) for value in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    values = open_file(path).data["value"].to_pylist()
    assert len(values) == 2_000
    assert len(set(values)) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_broken_pipe_is_told_as_one():
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as stream:
        write_table(TABLE, "-", stream=stream)


def test_every_compression_has_a_writer():
    assert set(destinations.COMPRESS) == set(destinations.ENDINGS.values()) - {"zip"}
