import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isthmus.data import parquet
from isthmus.data.parquet import ParquetGroups, parquet_paths

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)


def frame(X=X, names="abc"):
    return pa.table({name: X[:, j] for j, name in enumerate(names)})


def opened(folder, columns=None):
    return ParquetGroups([(str, path) for path in parquet_paths(folder)], f"the folder {folder}", columns)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deeper").mkdir()
    pq.write_table(frame(X[:20]), tmp_path / "a.parquet", row_group_size=8)
    pq.write_table(frame(X[20:20]), tmp_path / "b.parquet")
    pq.write_table(frame(X[20:]).select(["c", "a", "b"]), tmp_path / "deeper" / "c.pq", row_group_size=100)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden.parquet").touch()
    return tmp_path


def test_row_groups_are_chunks(folder):
    table = opened(folder)
    assert (table.names, table.lengths, table.dtype) == (["a", "b", "c"], [8, 8, 4, 30], np.float32)
    np.testing.assert_array_equal(np.concatenate(list(table.blocks())), X)
    np.testing.assert_array_equal(table.read(3), X[20:])
    np.testing.assert_array_equal(table.read(1), X[8:16])
    np.testing.assert_array_equal(table.table(lambda block, start: None)[:].numpy(), X)


def test_columns_are_pruned_and_found_by_name(folder):
    np.testing.assert_array_equal(np.concatenate(list(opened(folder, ["c", "a"]).blocks())), X[:, [2, 0]])
    pq.write_table(frame().append_column("text", pa.array(["x"] * 50)), folder / "a.parquet")
    assert sum(opened(folder, ["c"]).lengths) == 80


def test_few_files_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "OPEN_FILES", 2)
    for i in range(5):
        pq.write_table(frame(X[10 * i : 10 * i + 10]), tmp_path / f"{i}.parquet")
    table = opened(tmp_path)
    np.testing.assert_array_equal(np.concatenate(list(table.blocks())), X)
    np.testing.assert_array_equal(table.read(0), X[:10])
    assert len(table.open) == 2


def test_diverging_schemas(folder):
    pq.write_table(frame(names="abx"), folder / "d.parquet")
    with pytest.raises(ValueError, match=r"diverging schemas: column 'c' is in .*a\.parquet, but not in .*d\.parquet"):
        opened(folder)
    with pytest.raises(ValueError, match=r"column 'c', known from fit, is missing"):
        opened(folder, ["c"])
    table = frame().set_column(1, "b", pa.array(np.arange(50)))
    pq.write_table(table, folder / "d.parquet")
    with pytest.raises(ValueError, match=r"column 'b' is float in .*a\.parquet, but int64 in .*d\.parquet"):
        opened(folder)
    assert opened(folder, ["a", "c"]).names == ["a", "c"]


def test_more_columns_in_a_later_file(folder):
    pq.write_table(frame().append_column("more", pa.array(np.arange(50))), folder / "d.parquet")
    with pytest.raises(ValueError, match=r"column 'more' is in .*d\.parquet, but not in .*a\.parquet"):
        opened(folder)


@pytest.mark.parametrize("left", [0, 3, 200])
def test_a_truncated_file(folder, left):
    whole = (folder / "a.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(whole[:left])
    with pytest.raises(ValueError, match=r"the file .*a\.parquet cannot be read: it is truncated, or no Parquet"):
        opened(folder)


def test_a_file_damaged_within(folder):
    file = folder / "deeper" / "c.pq"
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])
    with pytest.raises(ValueError, match=r"row group 0 of the file .*c\.pq cannot be read: the file is damaged"):
        list(opened(folder).blocks())


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="holds no Parquet file"):
        opened(tmp_path)
