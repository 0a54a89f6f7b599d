import numpy as np
import polars as pl
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
    np.testing.assert_array_equal(read_batch(batch, NAMES, schema, caller="Test")[:].numpy(), spoiled)
    nulls = pa.RecordBatch.from_arrays([pa.array(column, from_pandas=True) for column in spoiled.T], NAMES)
    np.testing.assert_array_equal(read_batch(nulls, NAMES, schema, caller="Test")[:].numpy(), spoiled)
    spoiled[3, 1] = np.inf
    batch = pa.RecordBatch.from_arrays(list(map(pa.array, spoiled.T)), NAMES)
    with pytest.raises(ValueError, match=r"0 NaN and 1 infinite values \(column 'b': 1\).*among the rows 0 to 39"):
        read_batch(batch, NAMES, schema, caller="Test")


IMAGES = np.arange(40 * 12, dtype=float).reshape(40, 4, 3)


def test_the_shape_of_images_is_learned():
    for images in (IMAGES, IMAGES[..., None], np.where(IMAGES == 7, np.nan, IMAGES)):
        table, schema = learn_table(images, caller="Test")
        assert schema.row_shape == images.shape[1:]
        np.testing.assert_array_equal(table.drawn(slice(None)), images.reshape(40, 12))
        flat = read_table(images.reshape(40, 12), schema, caller="Test")
        np.testing.assert_array_equal(flat.drawn(slice(None)), images.reshape(40, 12))
    assert learn_table(IMAGES.reshape(40, 12), caller="Test")[1].row_shape is None


def test_the_shape_of_images_that_come_in_batches_is_learned():
    def batches():
        yield from (IMAGES[start : start + 15] for start in (0, 15, 30))

    table, schema = learn_table(batches, caller="Test")
    assert (schema.row_shape, table.shape) == ((4, 3), (40, 12))
    found = np.concatenate([piece.drawn(slice(None)) for piece in read_pieces(batches, schema, caller="Test")])
    np.testing.assert_array_equal(found, IMAGES.reshape(40, 12))
    with pytest.raises(ValueError, match=r"brought images of the shape \(4, 3\) and of the shape \(3, 4\)"):
        learn_table(lambda: iter([IMAGES, IMAGES.swapaxes(1, 2)]), caller="Test")
    turned = learn_table(IMAGES.swapaxes(1, 2), caller="Test")[1]
    for read in (read_table, lambda *args, **kw: list(read_pieces(*args, **kw))):
        with pytest.raises(ValueError, match=r"X holds images of the shape \(4, 3\), and Test was fitted on images of"):
            read(batches, turned, caller="Test")


def test_columns_of_numbers_are_taken_by_name():
    _, schema = learn_table(FRAME, caller="Test")
    turned = FRAME[FRAME.columns[::-1]]
    for frame in (turned, pl.from_pandas(turned), pa.Table.from_pandas(turned)):
        np.testing.assert_array_equal(read_table(frame, schema, caller="Test").drawn(slice(None)), FRAME)


def test_gaps_and_large_numbers_are_taken_in_use_and_refused_in_training():
    _, schema = learn_table(X, caller="Test")
    for value, message in ((np.nan, "1 NaN"), (None, "."), (1e300, "too large to be squared")):
        rows = X.astype(object)
        rows[3, 1] = value
        expected = X.copy()
        expected[3, 1] = np.nan if value is None else value
        np.testing.assert_array_equal(read_table(rows, schema, caller="Test").drawn(slice(None)), expected)
        with pytest.raises((ValueError, TypeError), match=message):
            read_table(rows, schema, caller="Test", in_use=False)
    for read in (True, False):
        with pytest.raises(ValueError, match="1 infinite"):
            read_table(np.where(X[0, 0] == X, np.inf, X), schema, caller="Test", in_use=read)


def test_paths_that_are_refused(tmp_path):
    (tmp_path / "x.csv").touch()
    with pytest.raises(ValueError, match=r"x\.csv is not of a kind that can be read"):
        learn_table(tmp_path / "x.csv", caller="Test")
    for name in ("x.npy", "x.parquet", "x"):
        with pytest.raises(FileNotFoundError, match="there is no file or folder"):
            learn_table(tmp_path / name, caller="Test")
