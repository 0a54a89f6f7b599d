import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from isthmus.data.files import open_file
from isthmus.data.sources import open_source


@pytest.fixture
def folder(tmp_path):
    for part in range(3):
        table = pa.table({"id": [f"{part}{i}" for i in range(4)], "x": np.arange(4.0) + part, "y": [part] * 4})
        pa.parquet.write_table(table, tmp_path / f"part-{part}.parquet", row_group_size=2)
    return tmp_path


@pytest.mark.parametrize("which", ["", "/*.parquet"])
@pytest.mark.parametrize("memory", [None, 1])
def test_folders_and_patterns(folder, which, memory):
    file = open_file(f"{folder}{which}", ids="id", target="y", memory=memory)
    assert (file.rows, file.columns, file.streamed) == (12, ("x",), memory == 1)
    assert file.ids["id"].to_pylist()[-1] == "23"
    np.testing.assert_array_equal(file.target, np.repeat([0, 1, 2], 4))
    rows = np.concatenate(list(open_source(file.data).blocks())) if file.streamed else file.data["x"].to_numpy()
    assert rows.sum() == 6 * 3 + 4 * 3
    assert file.found[0] == "Parquet, 3 files"


def test_other_files_of_a_pattern_are_refused(folder):
    (folder / "note.csv").write_text("a\n1\n")
    with pytest.raises(ValueError, match=r"stands for note.csv too"):
        open_file(folder / "*")


def test_diverging_and_damaged_files_are_refused(folder):
    pa.parquet.write_table(pa.table({"z": [1]}), folder / "part-3.parquet")
    with pytest.raises(ValueError, match="diverging schemas"):
        open_file(folder)
    content = (folder / "part-0.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="truncated"):
        open_file(folder / "cut.parquet")


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_files_and_streams(tmp_path, kind):
    table = pa.table({"a": [1, None], "b": pa.array(["x", "y"]).dictionary_encode()})
    path = tmp_path / "a.arrow"
    with (pa.ipc.new_file if kind == "file" else pa.ipc.new_stream)(str(path), table.schema) as writer:
        writer.write_table(table)
    file = open_file(path)
    assert file.data.to_pydict() == {"a": [1, None], "b": ["x", "y"]}
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged or cut short"):
        open_file(path)
