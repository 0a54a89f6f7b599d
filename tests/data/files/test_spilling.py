import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from isthmus.data.files import open_file, row_blocks, spilling
from isthmus.data.files.roles import Split
from isthmus.data.files.spilling import Collector, TemporaryFolder, labels_of, memory_limit, pieces_of

PIECES = [pa.table({"id": [f"{i}"], "x": [float(i)], "y": ["ab"[i % 2]]}) for i in range(5)]


@pytest.mark.parametrize("limit", [0, 30, 1 << 20])
def test_rows_are_the_same_wherever_they_are_kept(limit, monkeypatch):
    monkeypatch.setattr(spilling, "GROUP_ROWS", 2)
    folder = TemporaryFolder()
    collector = Collector(Split(("x",), ("id",), "y"), limit, folder)
    for piece in PIECES:
        collector.add(piece)
    found = collector.finish()
    assert found.streamed is (limit < 1000)
    data = pa.concat_tables(pieces_of(found.data))
    assert data.to_pydict() == {"x": [0.0, 1.0, 2.0, 3.0, 4.0]}
    assert found.ids.to_pydict() == {"id": ["0", "1", "2", "3", "4"]}
    assert found.target.tolist() == ["a", "b", "a", "b", "a"]
    path = folder.made
    folder.close()
    assert path is None or not path.exists()


def test_labels_are_numbers_or_objects():
    assert labels_of(pa.chunked_array([[1, 2], [3]])).dtype == np.int64
    assert labels_of(pa.chunked_array([[True], [False]])).dtype == bool
    assert labels_of(pa.chunked_array([[1, None]])).tolist() == [1, None]
    assert np.isnan(labels_of(pa.chunked_array([[1.5, None]]))[1])
    assert labels_of(pa.chunked_array([["a", None], ["b", "a"]])).tolist() == ["a", None, "b", "a"]


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(row_blocks, "BLOCK", 1 << 16)
    monkeypatch.setattr(spilling, "GROUP_ROWS", 10_000)
    peak = 0
    add = Collector.add

    def watched(self, piece):
        nonlocal peak
        add(self, piece)
        peak = max(peak, pa.total_allocated_bytes() - before)

    monkeypatch.setattr(Collector, "add", watched)
    rows = "".join(f"{i},{i * 0.37:.4f},{'abc'[i % 3]}\n" for i in range(10_000))
    peaks = []
    for times in (10, 60):
        path = tmp_path / f"{times}.csv"
        path.write_text("id,x,g\n" + rows * times)
        before, peak = pa.total_allocated_bytes(), 0
        with open_file(path, memory=1 << 17, ids="id") as file:
            assert file.rows == 10_000 * times
            assert file.streamed
        peaks.append(peak)
    assert max(peaks) < 4 << 20, "less than the larger file has (12 MB)"
    assert peaks[1] < 1.5 * peaks[0]


def test_the_limit_is_a_part_of_the_memory():
    assert memory_limit() >= 1 << 28
