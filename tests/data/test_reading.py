import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
import torch

from isthmus.data import reading
from isthmus.data.reading import learn_table, read_batch, read_pieces, read_table

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
X = np.random.default_rng(0).normal(size=(40, 3))
NAMES = ["a", "b", "c"]
FRAME = pandas.DataFrame(X, columns=NAMES)
GAPS = FRAME.mask(np.random.default_rng(1).random(X.shape) < 0.2)


def parquet(place, frame=FRAME):
    path = place / "x.parquet"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=7)
    return path


def npy(place):
    np.save(place / "x.npy", X)
    return place / "x.npy"


KINDS = {
    "array": lambda place: X,
    "Fortran order": lambda place: np.asfortranarray(X),
    "list": lambda place: X.tolist(),
    "tensor": lambda place: torch.from_numpy(X),
    "sparse": lambda place: scipy.sparse.csr_array(X),
    "pandas": lambda place: FRAME,
    "polars": lambda place: polars.from_pandas(FRAME),
    "pyarrow": lambda place: pa.Table.from_pandas(FRAME),
    ".npy": npy,
    ".npy as text": lambda place: str(npy(place)),
    "Parquet": parquet,
    "folder": lambda place: parquet(place).parent,
    "function": lambda place: lambda: iter([X[:13], X[13:]]),
}
every = pytest.mark.parametrize("kind", KINDS)


@every
def test_every_kind_gives_the_numbers(tmp_path, kind):
    given = KINDS[kind](tmp_path)
    table, schema = learn_table(given, caller="Test", least_rows=2)
    assert (table.shape, schema.n_features, schema.columns) == ((40, 3), 3, None)
    assert schema.names in (None, tuple(NAMES))
    np.testing.assert_array_equal(table[:].numpy(), X)
    np.testing.assert_array_equal(read_table(given, schema, caller="Test")[:].numpy(), X)


@every
@pytest.mark.parametrize("cut", [False, True])
def test_pieces_put_together_are_the_table(tmp_path, monkeypatch, kind, cut):
    monkeypatch.setattr(reading, "PIECE_BYTES", 6 * 3 * 8)
    given = KINDS[kind](tmp_path)
    _, schema = learn_table(given, caller="Test")
    pieces = [table[:].numpy() for table in read_pieces(given, schema, caller="Test", cut=cut)]
    np.testing.assert_array_equal(np.concatenate(pieces), X)
    if kind not in ("Parquet", "folder", "function"):
        assert len(pieces) == (7 if cut else 1)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "Parquet", "function"])
def test_gaps_give_the_same_table_from_everywhere(tmp_path, kind):
    made = {
        "pandas": lambda: GAPS,
        "polars": lambda: polars.from_pandas(GAPS),
        "pyarrow": lambda: pa.Table.from_pandas(GAPS),
        "Parquet": lambda: parquet(tmp_path, GAPS),
        "function": lambda: lambda: iter([GAPS[:13], GAPS[13:]]),
    }[kind]()
    table, schema = learn_table(made, caller="Test")
    assert [column.name for column in schema.columns] == NAMES
    np.testing.assert_array_equal(table[:].numpy(), GAPS.to_numpy())
    np.testing.assert_array_equal(read_table(made, schema, caller="Test")[:].numpy(), GAPS.to_numpy())
    pieces = [piece[:].numpy() for piece in read_pieces(made, schema, caller="Test", cut=True)]
    np.testing.assert_array_equal(np.concatenate(pieces), GAPS.to_numpy())


def test_what_was_learned_goes_for_other_kinds_of_data(tmp_path):
    _, schema = learn_table(FRAME, caller="Test")
    for given in (polars.from_pandas(FRAME), parquet(tmp_path)):
        np.testing.assert_array_equal(read_table(given, schema, caller="Test")[:].numpy(), X)


def test_columns_of_parquet_are_found_by_name(tmp_path):
    _, schema = learn_table(FRAME, caller="Test")
    shuffled = parquet(tmp_path, FRAME[["c", "a", "b"]].assign(more="text"))
    np.testing.assert_array_equal(read_table(shuffled, schema, caller="Test")[:].numpy(), X)


@pytest.mark.parametrize("frame", [FRAME, GAPS], ids=["numbers", "gaps"])
def test_record_batches(frame):
    batch = pa.RecordBatch.from_pandas(frame.assign(more=1.0), preserve_index=False)
    _, schema = learn_table(frame, caller="Test")
    found = read_batch(batch, NAMES, schema, caller="Test")
    np.testing.assert_array_equal(found[:].numpy(), frame.to_numpy())
    with pytest.raises(ValueError, match="column 'd', known from fit, is missing in the batch"):
        read_batch(batch, ["a", "b", "d"], schema, caller="Test")
    with pytest.raises(ValueError, match=r"X has 2 features, but Test is expecting 3|other columns than in fit"):
        read_batch(batch, ["a", "b"], schema, caller="Test")


def test_gaps_in_record_batches():
    _, schema = learn_table(FRAME, caller="Test")
    spoiled = X.copy()
    spoiled[3, 1] = np.nan
    batch = pa.RecordBatch.from_arrays(list(map(pa.array, spoiled.T)), NAMES)
    with pytest.raises(ValueError, match=r"1 NaN and 0 infinite values \(column 'b': 1\).*among the rows 0 to 39"):
        read_batch(batch, NAMES, schema, caller="Test")


def test_images_are_no_tables():
    for images in (np.zeros((5, 4, 4)), np.zeros((5, 4, 4, 3))):
        with pytest.raises(ValueError, match=r"Found array with dim [34]|Expected.*2D"):
            learn_table(images, caller="Test")


def test_paths_that_are_refused(tmp_path):
    (tmp_path / "x.csv").touch()
    with pytest.raises(ValueError, match=r"x\.csv is not of a kind that can be read"):
        learn_table(tmp_path / "x.csv", caller="Test")
    for name in ("x.npy", "x.parquet", "x"):
        with pytest.raises(FileNotFoundError, match="there is no file or folder"):
            learn_table(tmp_path / name, caller="Test")
