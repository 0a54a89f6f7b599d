import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isthmus.data.arrow_tables import as_table, numbers
from isthmus.data.parquet_writing import write

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)


def test_pieces_take_the_types_of_the_first(tmp_path):
    write([pa.table({"a": pa.array([1.5])}), pa.table({"a": pa.array([2])})], tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").to_pydict() == {"a": [1.5, 2.0]}


def test_a_file_that_is_there_is_replaced(tmp_path):
    for value in (1, 2):
        write([pa.table({"a": [value]})], tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").to_pydict() == {"a": [2]}
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


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
