import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isthmus.data import parquet
from isthmus.data.parquet import ParquetGroups, as_table, numbers, parquet_paths, write

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


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        (["bool", "bool"], "bool"),
        (["uint8", "int8"], "int16"),
        (["float32", "float64"], "float64"),
        (["int64", "float32"], "float64"),
        (["float16", "bool"], "float16"),
    ],
)
def test_one_number_type_holds_all_columns(kinds, common):
    columns = {f"column {j}": np.array([0, 1, 1], kind) for j, kind in enumerate(kinds)}
    for table in (pa.table(columns), pa.RecordBatch.from_pydict(columns), pa.concat_tables([pa.table(columns)] * 2)):
        found = numbers(table, list(columns))
        assert found.dtype == common
        assert found.flags.c_contiguous
        assert found[:3].tolist() == [[0, 0], [1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array(["x", "y"]), "column 'b' holds string values, and the model was fitted on numbers or booleans"),
        (pa.array([1.0, None]), "column 'b' has 1 empty cells among 2 rows; fill them first"),
        (pa.array([None, None]), "column 'b' holds null values"),
    ],
)
def test_what_is_no_number_is_refused_by_name(column, message):
    with pytest.raises(ValueError, match=message):
        numbers(pa.table({"a": [1.0, 2.0], "b": column}), ["a", "b"])


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"column 'd', known from fit, is missing in the batch; there are \['a', 'b'"):
        numbers(frame(), ["a", "d"])


def test_a_column_that_is_there_twice_is_named():
    with pytest.raises(ValueError, match="column 'a' is there 2 times"):
        numbers(pa.table([X[:, 0], X[:, 1]], names=["a", "a"]), ["a"])


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


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_pieces_are_written_to_one_file(tmp_path, dtype):
    path = tmp_path / "result.parquet"
    table = (10 * X).astype(dtype)
    write((as_table(part, ["a", "b", "c"]) for part in (table[:20], table[20:21], table[21:])), path)
    found = pq.read_table(path)
    assert found.schema.names == ["a", "b", "c"]
    np.testing.assert_array_equal(numbers(found, ["a", "b", "c"]), table)
    write([as_table(table[:, 0], ["score"])], path)
    np.testing.assert_array_equal(pq.read_table(path)["score"].to_numpy(), table[:, 0])


def test_a_result_is_written_whole_or_not_at_all(tmp_path):
    def pieces():
        yield X
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write((as_table(piece, ["a", "b", "c"]) for piece in pieces()), tmp_path / "result.parquet")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_to(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; create it first"):
        write([as_table(X, ["a", "b", "c"])], tmp_path / "no" / "result.parquet")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write([as_table(X, ["a", "b", "c"])], tmp_path)
