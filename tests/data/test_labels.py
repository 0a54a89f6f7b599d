import numpy as np
import pytest

from isthmus.data import labels
from isthmus.data.joining import are_alike, one_after_another

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

ROWS = 20
INDEXES = {
    "a range": pandas.RangeIndex(ROWS),
    "a range with a name": pandas.RangeIndex(5, 5 + 3 * ROWS, 3, name="k"),
    "text": pandas.Index([f"r{i}" for i in range(ROWS)]),
    "whole numbers with a name": pandas.Index(np.arange(ROWS)[::-1], name="id"),
    "the name of a column": pandas.Index(np.arange(ROWS) * 2, name="x"),
    "levels": pandas.MultiIndex.from_arrays([["a", "b"] * (ROWS // 2), np.arange(ROWS)], names=["g", None]),
    "moments": pandas.DatetimeIndex([*pandas.date_range("2024-01-01", periods=ROWS, tz="Europe/Berlin")], name="t"),
    "twice": pandas.Index([1, 1] * (ROWS // 2)),
}


def frame(kind):
    return pandas.DataFrame({"y": np.arange(ROWS) / 3, "z": list("ab") * (ROWS // 2)}, index=INDEXES[kind])


@pytest.mark.parametrize("kind", INDEXES)
def test_labels_go_through_arrow(kind):
    index = INDEXES[kind]
    found = labels.labels_of(frame(kind))
    pandas.testing.assert_index_equal(labels.pandas_index(found), index)
    pandas.testing.assert_index_equal(labels.pandas_index(frame(kind)), index)
    stored = pa.Table.from_pandas(frame(kind))
    pandas.testing.assert_index_equal(labels.pandas_index(stored), index)
    for known in (found, labels.labels_of(stored)):
        beside = labels.with_labels(pa.table({"score": np.arange(ROWS) * 1.0}), known).to_pandas()
        pandas.testing.assert_index_equal(beside.index, index)
        assert beside.columns.tolist() == ["score"]
        assert beside["score"].tolist() == list(range(ROWS))


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_may_have_the_name_of_a_column(kind):
    found = labels.with_labels(pa.table({"x": range(ROWS), "id": range(ROWS)}), labels.labels_of(frame(kind)))
    assert found.to_pandas().columns.tolist() == ["x", "id"]
    pandas.testing.assert_index_equal(found.to_pandas().index, INDEXES[kind])


@pytest.mark.parametrize("kind", INDEXES)
def test_parts_and_pieces(kind):
    whole = labels.labels_of(frame(kind))
    parts = [whole.part(0, 7), whole.part(7, 14), whole.part(14, 99)]
    assert [part.rows for part in parts] == [7, 7, 6]
    pandas.testing.assert_index_equal(labels.pandas_index(labels.joined(parts)), INDEXES[kind])


def test_labels_that_do_not_go_together():
    one, other = labels.labels_of(frame("text")), labels.labels_of(frame("twice"))
    assert labels.joined([one, other]) is None
    assert labels.joined([one, None]) is None
    assert labels.joined([]) is None


@pytest.mark.parametrize("kind", INDEXES)
def test_frames_get_labels(kind):
    known = labels.labels_of(frame(kind))
    bare = frame(kind).reset_index(drop=True)
    pandas.testing.assert_frame_equal(labels.labelled(bare, known), frame(kind))
    assert labels.labelled(pa.Table.from_pandas(bare), known).to_pandas().equals(frame(kind))
    assert labels.labelled(polars.from_pandas(bare), known).equals(polars.from_pandas(bare))
    pandas.testing.assert_frame_equal(labels.labelled(frame(kind), None), bare)


def test_what_has_no_labels():
    for rows in (np.eye(2), [[1]], polars.DataFrame({"x": [1]}), pa.table({"x": [1]}), None):
        assert labels.labels_of(rows) is None
        assert labels.pandas_index(rows) is None
    stored = pa.Table.from_pandas(frame("text")).select(["y"])
    assert labels.labels_of(stored) is None, "the column of the index was left out"


def test_a_range_of_another_length_is_none():
    stored = pa.Table.from_pandas(frame("a range with a name")).slice(0, 3)
    assert labels.pandas_index(stored) is None


def test_pieces_are_put_one_after_another():
    arrays, tables = np.split(np.arange(12).reshape(6, 2), 3), pa.table({"x": range(6)}).to_batches(2)
    np.testing.assert_array_equal(one_after_another(arrays), np.arange(12).reshape(6, 2))
    tables = [pa.table([batch.column(0)], names=["x"]) for batch in tables]
    assert one_after_another(tables).to_pydict() == {"x": list(range(6))}
    pieces = [frame("text")[:4], frame("text")[4:]]
    pandas.testing.assert_frame_equal(one_after_another(pieces), frame("text"))
    assert one_after_another([7]) == 7
    assert are_alike(*arrays[:2])
    assert are_alike(tables[0], tables[0])
    assert not are_alike(tables[0], pa.table({"x": [0.5]}))
    assert not are_alike(arrays[0], arrays[0] / 2)
    assert not are_alike(*pieces)
