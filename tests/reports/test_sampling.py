import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from isthmus.data.reading import learn_table
from isthmus.reports.sampling import column_of, sample_of, values_beside
from isthmus.tasks.anomaly.explanation import cells_of

X = np.random.default_rng(0).normal(size=(200, 3))
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])


def schema_of(X):
    return learn_table(X, caller="test")[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("parquet")
    frame = FRAME.assign(name=[f"row {k}" for k in range(200)])
    for k in range(2):
        frame.iloc[100 * k : 100 * k + 100].to_parquet(made / f"{k}.parquet", row_group_size=30)
    return made


KINDS = {
    "pandas": FRAME,
    "polars": pl.DataFrame(FRAME),
    "arrow": pa.table(FRAME),
    "array": X,
    "lists": X.tolist(),
    "sparse": scipy.sparse.csc_matrix(X),
    "function": lambda: iter(np.array_split(X, 7)),
}


@pytest.mark.parametrize("kind", [*KINDS, "folder"])
@pytest.mark.parametrize("most", [50, 500])
def test_rows_of_any_table_are_those_at_their_places(kind, most, folder):
    known = schema_of(FRAME if kind in ("pandas", "polars", "arrow", "folder") else X)
    found = sample_of(KINDS.get(kind, folder), known, most)
    assert found.total == 200
    assert len(found.places) == min(most, 200)
    assert (np.diff(found.places) > 0).all()
    assert found.whole == (most == 500)
    rows = found.rows.toarray() if found.sparse else found.rows
    np.testing.assert_allclose(np.array(cells_of(rows)[:3], float).T, X[found.places])


def test_rows_are_drawn_from_everywhere():
    found = sample_of(np.arange(100_000.0)[:, None], schema_of(X[:, :1]), 1000)
    assert abs(found.places.mean() - 50_000) < 3_000
    assert sample_of(np.zeros((400, 3)), schema_of(X), 100).places.tolist() != list(range(100))


def test_very_wide_tables_give_fewer_rows(monkeypatch):
    monkeypatch.setattr("isthmus.reports.sampling.MOST_CELLS", 120)
    assert len(sample_of(X, schema_of(X), 100).places) == 40
    monkeypatch.setattr("isthmus.reports.sampling.MOST_CELLS", 3)
    assert len(sample_of(X, schema_of(X), 100).places) == 20


def test_columns_that_the_model_does_not_know_are_left_out():
    found = sample_of(FRAME.assign(name="x"), schema_of(FRAME), 50, ["name", "elsewhere"])
    assert list(found.rows.columns) == ["a", "b", "c"]


def test_labels_are_an_index_or_positions():
    assert sample_of(FRAME, schema_of(FRAME), 500).labels()[:2] == ["0", "1"]
    named = sample_of(FRAME.set_axis([f"r{k}" for k in range(200)]), schema_of(FRAME), 500)
    assert named.labels()[-1] == "r199"
    some = sample_of(FRAME, schema_of(FRAME), 50)
    assert some.labels() == [str(place) for place in some.places]


def test_values_come_from_a_column_or_one_per_row(folder):
    assert column_of(FRAME, "b") == FRAME["b"].tolist()
    assert column_of(folder, "name")[:2] == ["row 0", "row 1"]
    assert values_beside(X, range(200), 200, "ids")[:2] == [0, 1]
    assert values_beside(X, FRAME["a"], 200, "ids") == FRAME["a"].tolist()
    with pytest.raises(ValueError, match="no column 'z'; it has 'a', 'b', 'c'"):
        column_of(FRAME, "z")
    with pytest.raises(ValueError, match="no named columns, and so none called 'z'"):
        column_of(X, "z")
    with pytest.raises(ValueError, match=r"target must be .* one value for each of its 200 rows"):
        values_beside(X, [1, 2], 200, "target")
