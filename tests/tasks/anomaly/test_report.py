import numpy as np
import pandas as pd
import polars as pl
import pytest

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly.explanation import Explanation
from isthmus.tasks.anomaly.report import report

N, PLACE = 300, 17


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    z = random.normal(size=N)
    names = [f"C{i}" for i in range(N)]
    frame = pd.DataFrame({"a": z, "b": -z + 0.1 * random.normal(size=N), "who": names}, index=random.permutation(N))
    frame.iloc[PLACE, 1] = 9.0
    return frame


@pytest.fixture(scope="module")
def detector(rows):
    with pytest.warns(UserWarning, match="'who' is ignored"):
        return AnomalyDetector(method="mahalanobis", random_state=0).fit(rows)


@pytest.fixture(scope="module")
def numbers(rows):
    return AnomalyDetector(method="mahalanobis", random_state=0).fit(rows[["a", "b"]])


def test_the_labels_are_those_of_the_rows(detector, rows):
    found = detector.report(rows, 5)
    assert found["row"].iloc[0] == PLACE
    assert found.index.tolist() == rows.index[found["row"]].tolist()
    assert rows.loc[found.index[0], "b"] == 9.0
    frame = detector.explain(rows.iloc[:2]).frame()
    assert frame.index.tolist() == rows.index[:2].repeat(3).tolist()
    assert str(detector.explain(rows.iloc[[PLACE]])).startswith(f"row {rows.index[PLACE]}:")


def test_without_labels_the_index_is_the_position(numbers, rows):
    array = rows[["a", "b"]].to_numpy()
    found = AnomalyDetector(method="mahalanobis", random_state=0).fit(array).report(array, 3)
    assert found.index.tolist() == found["row"].tolist()
    assert found["row"].iloc[0] == PLACE
    by_polars = numbers.report(pl.from_pandas(rows[["a", "b"]]), 3)
    assert isinstance(by_polars, pl.DataFrame)
    assert by_polars["row"].to_list() == found["row"].tolist()


def test_an_ignored_column_is_no_reason(detector, rows):
    found = detector.report(rows, 20, columns=3)
    assert set(found["column_1"]) | set(found["column_2"]) == {"a", "b"}
    assert found["column_3"].isna().all()
    explained = detector.explain(rows.iloc[:20])
    assert set(explained.top(3).ravel()) == {"a", "b"}
    np.testing.assert_array_equal(explained.contributions[:, 2], 0)
    np.testing.assert_allclose(explained.contributions.sum(1), explained.scores)


@pytest.mark.parametrize("kind", ["file", "folder", "batches", "npy", "table"])
def test_sources_are_reported_and_explained_as_rows_in_memory(numbers, rows, kind, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    inside = rows[["a", "b"]]
    if kind == "file":
        inside.to_parquet(tmp_path / "x.parquet", row_group_size=40)
        X = tmp_path / "x.parquet"
    elif kind == "folder":
        inside.iloc[:100].to_parquet(tmp_path / "1.parquet")
        inside.iloc[100:].to_parquet(tmp_path / "2.parquet")
        X = tmp_path
    elif kind == "npy":
        np.save(tmp_path / "x.npy", inside.to_numpy())
        X = tmp_path / "x.npy"
    elif kind == "batches":
        array = inside.to_numpy()
        X = lambda: iter(np.array_split(array, 7))  # noqa: E731
    else:
        X = pyarrow.Table.from_pandas(inside)
    if kind in ("batches", "npy"):
        inside = inside.to_numpy()
        numbers = AnomalyDetector(method="mahalanobis", random_state=0).fit(inside)
    whole, found = numbers.report(inside, 6), numbers.report(X, 6)
    pd.testing.assert_frame_equal(found, whole)
    np.testing.assert_allclose(numbers.explain(X).contributions, numbers.explain(inside).contributions, atol=1e-12)
    assert len(numbers.explain(X).counterfactuals) == N


def test_a_range_in_a_parquet_file_is_the_position(numbers, rows, tmp_path):
    pytest.importorskip("pyarrow")
    rows[["a", "b"]].reset_index(drop=True).to_parquet(tmp_path / "x.parquet", row_group_size=40)
    found = numbers.report(tmp_path / "x.parquet", N)
    assert found.index.tolist() == found["row"].tolist()
    assert found["row"].iloc[0] == PLACE


def test_columns_in_another_order_stay_with_their_values(numbers, rows):
    found = numbers.report(rows[["b", "a"]], 1)
    assert (found["column_1"].iloc[0], found["seen_1"].iloc[0]) == ("b", 9.0)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "all"])
def test_a_number_of_rows_is_asked_for(numbers, rows, n):
    with pytest.raises(ValueError, match="n must be a whole number of rows"):
        numbers.report(rows[["a", "b"]], n)


def test_columns_are_named_in_their_order():
    seen, contributions = np.arange(6.0).reshape(3, 2), np.tile([0.25, 4.0], (3, 1))
    explanation = Explanation(contributions.sum(1), contributions, seen, seen, ["age", "income"])
    found = report(explanation, np.array([7, 8, 9]), np.array([0.1, 0.2, 0.3]), 1)
    assert list(found.columns) == ["row", "score", "p_value", "column_1", "seen_1", "expected_1"]
    assert found["seen_1"].tolist() == [1.0, 3.0, 5.0]
    assert found.index.tolist() == [7, 8, 9]
