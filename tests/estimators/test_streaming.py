"""Record batches scored as they come, and results written to Parquet."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isthmus import AutoEncoder
from isthmus.data.reading import learn_table
from isthmus.data.schema import TableSchema
from isthmus.estimators.streaming import as_arrow, refuse_unwritten, scored_batches, write_codes, write_rows

RNG = np.random.default_rng(0)
NAMES = ["a", "b", "c", "d", "e"]
X = (np.tanh(RNG.normal(size=(3000, 2))) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(3000, 5))) * 3 + 1
X = X.astype(np.float32)
FRAME = pa.table({name: X[:, j] for j, name in enumerate(NAMES)})


def model(**settings):
    return AutoEncoder(**{"latent": 2, "hidden": (16,), "epochs": 1, "random_state": 0} | settings)


def batches():
    for start in range(0, 3000, 170):
        yield X[start : start + 170]


@pytest.fixture(scope="module")
def fitted():
    return model().fit(pd.DataFrame(X, columns=NAMES))


@pytest.fixture(scope="module")
def nameless():
    return model().fit(X)


def total(table):
    return np.asarray(table[:]).sum(1, dtype=np.float64)


@pytest.mark.parametrize("columns", [None, ["c", "a"]])
def test_scores_are_appended(columns):
    schema = TableSchema(5 if columns is None else 2)
    given = FRAME.to_batches(max_chunksize=700)
    scored = list(scored_batches(total, given, columns, schema, "Test"))
    wanted = X if columns is None else X[:, [2, 0]]
    np.testing.assert_array_equal(pa.Table.from_batches(scored)["score"].to_numpy(), wanted.sum(1, dtype=np.float64))
    for one, other in zip(scored, given, strict=True):
        assert one.drop_columns("score").equals(other)


def test_codes_and_rows_are_written(tmp_path):
    assert write_codes(iter([X[:7], X[7:]]), NAMES, tmp_path / "codes.parquet") == tmp_path / "codes.parquet"
    assert pq.read_table(tmp_path / "codes.parquet").equals(FRAME)
    frame = pd.DataFrame({"whole": [1, 2, 3], "text": ["a", "b", None]})
    table, schema = learn_table(frame, caller="Test", columns={"text": "category"})
    numbers = table[:].numpy()
    write_rows([numbers[:1], numbers[1:]], schema, tmp_path / "rows.parquet")
    assert pq.read_table(tmp_path / "rows.parquet").to_pydict() == frame.replace({np.nan: None}).to_dict("list")


def test_arrays_get_the_names_of_fit():
    assert as_arrow(X, TableSchema(5, tuple(NAMES))).equals(FRAME)
    assert as_arrow(X, TableSchema(5)).schema.names == ["x0", "x1", "x2", "x3", "x4"]


def test_what_cannot_be_written(tmp_path, nameless):
    for what in ("transform", "reconstruct", "score_samples", "reconstruction_error"):
        refuse_unwritten(what)
    for what in ("transfrom", None):
        with pytest.raises(ValueError, match=f"unknown what {what!r}.*'transform', 'reconstruct', 'score_samples'"):
            nameless.write(X, tmp_path / "result.parquet", what)
    assert list(tmp_path.iterdir()) == []


def test_names_are_written(tmp_path, fitted):
    path = fitted.write(lambda: FRAME.to_batches(), tmp_path / "result.parquet", what="reconstruct")
    assert pq.read_table(path).schema.names == NAMES


def test_results_are_written_whole_or_not_at_all(tmp_path, nameless):
    bad = X.copy()
    bad[-1] = np.inf
    with pytest.raises(ValueError, match="5 infinite"):
        nameless.write(lambda: [X] * 100 + [bad], tmp_path / "result.parquet")
    assert list(tmp_path.iterdir()) == []


def record_batches(count=7):
    ids = pa.array([f"row {i}" for i in range(3000)])
    return FRAME.append_column("id", ids).select(["id", *NAMES[::-1]]).to_batches(max_chunksize=-(-3000 // count))


def test_batches_get_their_scores(fitted):
    given = [*record_batches(), record_batches()[0].slice(0, 0)]
    scored = list(fitted.score_batches(iter(given)))
    expected = fitted.score_samples(pd.DataFrame(X, columns=NAMES))
    for one, other in zip(scored, given, strict=True):
        assert isinstance(one, pa.RecordBatch)
        assert one.schema == other.schema.append(pa.field("score", pa.float64()))
        assert one.drop_columns("score").equals(other)
    np.testing.assert_array_equal(pa.Table.from_batches(scored)["score"].to_numpy(), expected)


def test_batches_are_taken_as_they_are_asked_for(fitted):
    taken = []

    def given():
        for batch in record_batches():
            taken.append(batch)
            yield batch

    scored = fitted.score_batches(given())
    assert not taken
    next(scored)
    assert len(taken) == 1


def test_columns_of_batches_are_named(nameless):
    ae = nameless
    expected = ae.score_samples(X)
    for scored in (ae.score_batches(record_batches(), NAMES), ae.score_batches(FRAME.to_batches())):
        np.testing.assert_array_equal(pa.Table.from_batches(scored)["score"].to_numpy(), expected)
    with pytest.raises(ValueError, match="column 'id' holds string values"):
        list(ae.score_batches(record_batches()))
    with pytest.raises(ValueError, match="X has 4 features"):
        list(ae.score_batches(record_batches(), NAMES[:4]))


def test_bad_batches(fitted):
    batch = FRAME.to_batches()[0]
    for bad, message in (
        (batch.append_column("score", batch["a"]), "a column of the batch is called 'score' already"),
        (batch.drop_columns("b"), "column 'b', known from fit, is missing"),
        (batch.set_column(1, "b", pa.array(np.full(3000, np.inf))), r"\(column 'b': 3000\)"),
    ):
        with pytest.raises(ValueError, match=message):
            list(fitted.score_batches([bad]))


def test_gaps_in_batches_are_taken(fitted):
    batch = FRAME.to_batches()[0]
    silent = [
        batch.set_column(1, "b", pa.array([None] * 3000, pa.float32())),
        batch.set_column(1, "b", pa.array(np.full(3000, np.nan, dtype=np.float32))),
    ]
    scores = [pa.Table.from_batches(fitted.score_batches([one]))["score"].to_numpy() for one in silent]
    assert np.isfinite(scores[0]).all()
    np.testing.assert_array_equal(*scores)


def test_a_model_that_is_not_fitted_says_so_at_once():
    with pytest.raises(Exception, match="not fitted"):
        model().score_batches([])


def test_partitions_of_dask(fitted, tmp_path):
    """As in docs/streaming.md; Spark's mapInArrow calls a function of batches in the same way."""
    dask = pytest.importorskip("dask")
    for i in range(3):
        pq.write_table(FRAME.slice(1000 * i, 1000), tmp_path / f"{i}.parquet", row_group_size=130)

    @dask.delayed
    def scored(file):
        return pa.Table.from_batches(fitted.score_batches(pq.ParquetFile(file).iter_batches()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parts = dask.compute(*map(scored, sorted(tmp_path.glob("*.parquet"))), scheduler="threads")
    expected = fitted.score_samples(pd.DataFrame(X, columns=NAMES))
    np.testing.assert_array_equal(pa.concat_tables(parts)["score"].to_numpy(), expected)
