"""Row labels: pandas' index comes back on every table that comes back, from memory and from files."""

import numpy as np
import pytest

from isthmus import AnomalyDetector, AutoEncoder, Compute, load

pandas = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")

ROWS = 120
RANDOM = np.random.default_rng(0)
SIZE = RANDOM.normal(size=ROWS)
INDEXES = {
    "default": pandas.RangeIndex(ROWS),
    "range": pandas.RangeIndex(10, 10 + 2 * ROWS, 2, name="k"),
    "text": pandas.Index([f"r{i}" for i in range(ROWS)]),
    "named": pandas.Index(RANDOM.permutation(ROWS) * 7, name="id"),
    "levels": pandas.MultiIndex.from_arrays([["x", "y"] * (ROWS // 2), np.arange(ROWS)], names=["g", None]),
    "moments": pandas.date_range("2024-01-01", periods=ROWS, freq="h", name="t"),
}


def frame(index, mixed):
    columns = {"a": SIZE + 0.2 * RANDOM.normal(size=ROWS), "b": 2 * SIZE + 0.2 * RANDOM.normal(size=ROWS)}
    if mixed:
        columns |= {"town": np.where(SIZE > 0, "Lyon", "Nice"), "flag": SIZE > 1}
    return pandas.DataFrame(columns, index=INDEXES[index])


def model(**settings):
    return AutoEncoder(1, (4,), epochs=1, random_state=0, compute=Compute(threads=1), **settings)


def ways(given, folder):
    """Return the same rows as a file, a folder, a data set, a table of Arrow's and batches."""
    path = folder / "rows" / "0.parquet"
    path.parent.mkdir()
    given.to_parquet(path, row_group_size=50)
    table = pa.Table.from_pandas(given)
    return {
        "file": path,
        "folder": path.parent,
        "data set": dataset.dataset(path).filter(dataset.field("a") > -100),
        "table": table,
        "batches": lambda: iter(table.to_batches(max_chunksize=50)),
    }


@pytest.mark.parametrize("mixed", [False, True], ids=["numbers", "several kinds"])
@pytest.mark.parametrize("index", INDEXES)
def test_an_index_is_no_column_and_comes_back(index, mixed, tmp_path):
    given = frame(index, mixed)
    ae = model().fit(given)
    assert ae.reconstruct(given).index is given.index or ae.reconstruct(given).index.identical(given.index)
    for rows in ways(given, tmp_path).values():
        assert model().fit(rows).n_features_in_ == given.shape[1]
        assert AnomalyDetector(method="mahalanobis", random_state=0).fit(rows).n_features_in_ == given.shape[1]
        back = ae.reconstruct(rows)
        assert list(back.columns) == list(given.columns)
        assert back.index.equals(given.index)
        assert back.index.names == given.index.names
        for what in ("transform", "reconstruct", "score_samples"):
            written = pandas.read_parquet(ae.write(rows, tmp_path / "out.parquet", what))
            assert written.index.equals(given.index)
            assert written.index.names == given.index.names
            assert what != "reconstruct" or list(written.columns) == list(given.columns)


@pytest.mark.parametrize("index", INDEXES)
def test_frames_are_written_with_their_index(index, tmp_path):
    given = frame(index, True)
    ae = model().fit(given)
    for what in ("transform", "reconstruct", "score_samples", "reconstruction_error"):
        written = pandas.read_parquet(ae.write(given, tmp_path / "out.parquet", what))
        assert written.index.equals(given.index)
    scored = list(ae.score_batches(pa.Table.from_pandas(given).to_batches()))
    assert pa.Table.from_batches(scored).to_pandas().index.equals(given.index)


def test_tables_of_arrow_come_back_as_pandas_wrote_them(tmp_path):
    given = frame("named", True).astype({"flag": "boolean"})
    given.columns.name = "what"
    rows = ways(given, tmp_path)
    for name in ("file", "table"):
        back = model().fit(rows[name]).reconstruct(rows[name]).to_pandas()
        pandas.testing.assert_index_equal(back.index, given.index)
        pandas.testing.assert_index_equal(back.columns, given.columns)
        assert back["flag"].dtype == "boolean"


def test_files_of_which_some_have_no_index(tmp_path):
    given = frame("default", True)
    given.to_parquet(tmp_path / "0.parquet")
    given[given["a"] > 0].to_parquet(tmp_path / "1.parquet")  # Whose index is a column.
    ae = model().fit(tmp_path)
    assert ae.n_features_in_ == 4
    assert ae.reconstruct(tmp_path).column_names == ["a", "b", "town", "flag"]


def test_set_output_keeps_labels():
    given = frame("levels", True)
    codes = model().set_output(transform="pandas").fit(given).transform(given)
    pandas.testing.assert_index_equal(codes.index, given.index)


NAMES = {
    "text and a number": ["a", 7, "c", "d"],
    "none": ["a", None, "c", "d"],
    "NaN": [1.0, np.nan, 2.0, 3.0],
    "a moment": ["a", pandas.Timestamp("2024-01-01"), "c", "d"],
}


@pytest.mark.parametrize("mixed", [False, True], ids=["numbers", "several kinds"])
@pytest.mark.parametrize("names", NAMES)
def test_names_that_are_no_names_are_refused_with_the_call_to_make(names, mixed):
    given = frame("default", mixed)
    odd = given.set_axis(NAMES[names][: given.shape[1]], axis=1)
    call = "map" if names in ("none", "NaN") else "astype"
    message = rf"the name of a column is .*call df.columns = df.columns.{call}\(str\)"
    with pytest.raises(ValueError, match=message):
        model().fit(odd)
    mended = odd.set_axis(odd.columns.map(str) if call == "map" else odd.columns.astype(str), axis=1)
    ae = model().fit(mended)
    assert ae.reconstruct(mended).columns.equals(mended.columns)
    with pytest.raises(ValueError, match=message):
        ae.transform(odd)


@pytest.mark.parametrize("mixed", [False, True], ids=["numbers", "several kinds"])
def test_names_of_column_levels_come_back_also_without_rows(mixed, tmp_path):
    given = frame("default", mixed)
    levels = [("s", name) for name in given.columns]
    given.columns = pandas.MultiIndex.from_tuples(levels, names=["station", "what"])
    ae = model().fit(given)
    codes = ae.transform(given)
    for back in (ae.reconstruct(given), ae.inverse_transform(codes), ae.reconstruct(given.reset_index(drop=True))):
        pandas.testing.assert_index_equal(back.columns, given.columns)
    ae.save(tmp_path / "model")
    assert list(load(tmp_path / "model").inverse_transform(codes).columns.names) == ["station", "what"]


def test_two_columns_of_one_name():
    given = frame("default", True)
    with pytest.raises(ValueError, match="two columns are called 'a'; give each a name of its own"):
        model().fit(given.set_axis(["a", "b", "a", "d"], axis=1))
    table = pa.table([pa.array([1.0] * 9)] * 2, names=["a", "a"])
    with pytest.raises(ValueError, match="two columns are called 'a'; give each a name of its own"):
        model().fit(table)
