"""Tables of mixed columns and gaps that do not fit into memory: files, batches, functions that bring frames."""

import dataclasses

import numpy as np
import pytest
import torch

from isthmus import AutoEncoder, Compute, load
from isthmus.data import chunks

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
dataset = pytest.importorskip("pyarrow.dataset")

pytestmark = pytest.mark.filterwarnings("ignore:column 'when'. the place of its times")

ROWS, FILES = 900, 3
NAMES = ["real", "tail", "count", "flag", "town", "when"]


def table(seed=0, rows=ROWS):
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)

    def gaps(share=0.05):
        return random.random(rows) < share

    town = np.where(hidden > 0, "a", np.where(random.random(rows) > 0.5, "b", "ü"))
    days = (18_000 + 300 * hidden + random.integers(0, 100, rows)).astype(np.int32)
    return pa.table(
        {
            "real": pa.array(np.round(hidden + 0.1 * random.normal(size=rows), 2), mask=gaps()),
            "tail": np.exp(2 * hidden).astype(np.float32),
            "count": pa.array(random.poisson(np.exp(hidden)).astype(np.int16)),
            "flag": pa.array(hidden > 0.5, mask=gaps()),
            "town": pa.array(town, pa.string(), mask=gaps()),
            "when": pa.array(days).cast(pa.date32()),
        }
    )


TABLE = table()


def write(place, tables, **settings):
    """Write tables as the files of a folder, in their order."""
    place.mkdir(exist_ok=True)
    for number, one in enumerate(tables):
        pq.write_table(one, place / f"{number}.parquet", **{"row_group_size": 130} | settings)
    return place


def thirds(given=TABLE):
    size = len(given) // FILES
    return [given.slice(size * number, size) for number in range(FILES)]


def batches():
    return TABLE.to_batches(max_chunksize=170)


def pandas_frames():
    for start in range(0, ROWS, 170):
        yield TABLE.slice(start, 170).to_pandas(date_as_object=False)


def polars_frames():
    for start in range(0, ROWS, 170):
        yield polars.from_arrow(TABLE.slice(start, 170))


SOURCES = {
    "folder": lambda place: write(place / "source", thirds()),
    "file": lambda place: write(place / "source", [TABLE]) / "0.parquet",
    "data set": lambda place: dataset.dataset(write(place / "source", thirds())),
    "batches": lambda place: batches,
    "pandas": lambda place: pandas_frames,
    "polars": lambda place: polars_frames,
}


@pytest.fixture(params=SOURCES)
def source(request, tmp_path, monkeypatch):
    # Small, so that these few rows do not fit.
    monkeypatch.setattr(chunks, "BUFFER_BYTES", 300 * 64)
    monkeypatch.setattr(chunks, "PIECE_BYTES", 100 * 64)
    monkeypatch.setattr(chunks, "KEPT_BYTES", 100 * 64)
    return SOURCES[request.param](tmp_path)


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "rows", thirds())


def model(**settings):
    return AutoEncoder(
        **{"latent": 2, "hidden": (16,), "epochs": 3, "random_state": 0, "compute": Compute(threads=1)} | settings
    )


@pytest.fixture(scope="module")
def fitted():
    return model().fit(TABLE)


def weights(ae):
    return torch.cat([parameter.detach().flatten() for parameter in ae.network_.parameters()])


def kinds(ae):
    return {column.name: column.kind for column in ae.columns_}


def assert_same_columns(found, expected):
    """Means and deviations are put together in another order, and may differ in the last bits."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        one, other = dataclasses.asdict(one), dataclasses.asdict(other)
        for name in ("mean", "deviation", "log_constant"):
            assert one.pop(name) == pytest.approx(other.pop(name), rel=1e-12)
        assert one == other


# -- training ----------------------------------------------------------------------------------------------------------


def test_columns_are_those_of_the_table_in_memory(source, request, fitted):
    ae = model(epochs=1).fit(source)
    library = request.node.callspec.params["source"]
    whole = {"pandas": lambda: TABLE.to_pandas(date_as_object=False), "polars": lambda: polars.from_arrow(TABLE)}
    expected = model(epochs=1).fit(whole[library]()) if library in whole else fitted
    assert_same_columns(ae.columns_, expected.columns_)
    assert ae.feature_names_in_.tolist() == NAMES
    assert ae.n_features_in_ == len(NAMES)
    assert ae.fit_report_.data == "read in chunks"


def test_same_seed_same_result(source):
    one, two, other = model().fit(source), model().fit(source), model(random_state=1).fit(source)
    assert torch.equal(weights(one), weights(two))
    assert one.history_["val_loss"].tolist() == two.history_["val_loss"].tolist()
    assert not torch.equal(weights(one), weights(other))


@pytest.fixture(scope="module")
def in_memory():
    return model(epochs=10).fit(TABLE)


def test_result_is_that_of_memory_within_noise(source, in_memory):
    ae, other = model(epochs=10).fit(source), in_memory
    assert ae.history_["val_loss"][-1] == pytest.approx(other.history_["val_loss"][-1], abs=0.4)
    assert ae.score(TABLE) == pytest.approx(other.score(TABLE), abs=0.6)
    assert ae.reconstruction_error(TABLE).mean() == pytest.approx(other.reconstruction_error(TABLE).mean(), abs=0.05)


def test_sample_weights_of_a_folder(folder):
    weight = np.random.default_rng(0).uniform(0.5, 2, ROWS)
    assert np.isfinite(model().fit(folder, sample_weight=weight).score(folder))


def test_kinds_may_be_said(folder):
    ae = model(columns={"count": "poisson", "tail": "real", "when": "ignored"}).fit(folder)
    assert [column.likelihood for column in ae.columns_][:3] == ["gaussian", "gaussian", "poisson"]


def test_kinds_of_numbers_may_be_said(tmp_path):
    numbers = write(tmp_path / "numbers", thirds(TABLE.select(["tail", "count"])))
    assert kinds(model(latent=1).fit(numbers)) == {"tail": "real", "count": "real"}
    assert kinds(model(latent=1, columns="auto").fit(numbers)) == {"tail": "positive", "count": "count"}
    assert kinds(model(latent=1, columns={"tail": "real"}).fit(numbers)) == {"tail": "real", "count": "count"}


def test_numbers_with_gaps_in_a_later_file_only_go_by_columns(tmp_path):
    first, second, third = thirds(TABLE.select(["tail", "count"]))
    column = pa.array([None, *third["tail"].to_pylist()[1:]], pa.float32())
    place = write(tmp_path / "rows", [first, second, third.set_column(0, "tail", column)])
    ae = model().fit(place)  # without a warning that it could copy: cells are hidden
    assert [round(one.missing * ROWS) for one in ae.columns_] == [1, 0]
    assert np.isfinite(ae.score_samples(place)).all()


@pytest.mark.parametrize("kind", [pa.string(), pa.null()])
@pytest.mark.parametrize("place_of_gaps", [0, 2])
def test_a_column_may_be_empty_in_one_file(tmp_path, kind, place_of_gaps):
    parts = thirds()
    parts[place_of_gaps] = parts[place_of_gaps].set_column(4, "town", pa.nulls(ROWS // FILES, kind))
    place = write(tmp_path / "rows", parts)
    ae = model().fit(place)
    assert ae.columns_[4].kind == "category"
    assert ae.columns_[4].levels == ("a", "b", "ü")
    assert ae.columns_[4].missing > 1 / 3
    assert ae.reconstruct(place).schema == TABLE.schema
    assert np.isfinite(ae.score_samples(place)).all()


@pytest.mark.parametrize("name", ["real", "tail", "count", "flag", "when"])
def test_values_may_begin_in_the_second_batch(name):
    """A column of which nothing was seen yet is one of numbers or times all the same."""
    index, rows = NAMES.index(name), 300
    empty = TABLE.slice(0, rows).set_column(index, name, pa.nulls(rows, pa.null()))
    parts = [empty, TABLE.slice(rows)]
    ae = model(epochs=1).fit(lambda: parts)
    whole = TABLE.set_column(
        index, name, pa.chunked_array([pa.nulls(rows, TABLE[name].type), *TABLE[name][rows:].chunks])
    )
    assert_same_columns(ae.columns_, model(epochs=1).fit(whole).columns_)


def test_a_category_of_a_later_file_only(tmp_path):
    parts = thirds()
    parts[2] = parts[2].set_column(4, "town", pa.array(["new", *parts[2]["town"].to_pylist()[1:]]))
    ae = model().fit(write(tmp_path / "rows", parts))
    assert ae.columns_[4].levels == ("a", "b", "new", "ü")


def test_declared_categories_of_batches_are_put_together():
    def frames():
        for start, levels in ((0, ["a", "b"]), (100, ["c", "b"])):
            towns = pandas.Categorical.from_codes(np.arange(100) % 2, levels)
            yield pandas.DataFrame({"x": np.arange(start, start + 100) % 7 - 3.5, "town": towns})

    ae = model(epochs=1).fit(frames)
    assert ae.columns_[1].levels == ("a", "b", "c")
    rebuilt = ae.reconstruct(frames)
    assert rebuilt["town"].cat.categories.tolist() == ["a", "b", "c"]
    assert not rebuilt["town"].isna().any()


def test_batches_may_have_their_columns_in_another_order(fitted):
    def frames():
        for number, frame in enumerate(pandas_frames()):
            yield frame[NAMES[::-1]] if number % 2 else frame

    ae = model().fit(frames)
    assert torch.equal(weights(ae), weights(model().fit(pandas_frames)))
    np.testing.assert_array_equal(fitted.score_samples(frames), fitted.score_samples(TABLE))


def test_batches_without_rows_are_passed_by(fitted, folder):
    def with_empty():
        return [pa.RecordBatch.from_pylist([], TABLE.schema), *batches()]

    def frames():
        yield from pandas_frames()
        yield TABLE.slice(0, 0).to_pandas()

    filtered = dataset.dataset(folder).filter(pa.compute.field("count") > 3)
    few = TABLE.filter(pa.compute.field("count") > 3)
    np.testing.assert_array_equal(fitted.score_samples(frames), fitted.score_samples(TABLE))
    assert torch.equal(weights(model().fit(frames)), weights(model().fit(pandas_frames)))
    np.testing.assert_array_equal(fitted.score_samples(filtered), fitted.score_samples(few))
    assert_same_columns(model().fit(filtered).columns_, model().fit(few).columns_)
    np.testing.assert_array_equal(fitted.score_samples(with_empty), fitted.score_samples(TABLE))
    assert torch.equal(weights(model().fit(with_empty)), weights(model().fit(batches)))


def test_arrays_of_a_function_with_gaps_go_by_columns_if_asked():
    rows = np.column_stack([TABLE["real"].to_numpy(), TABLE["tail"].to_numpy(), TABLE["count"].to_numpy()])
    ae = model(columns="auto").fit(lambda: np.array_split(rows, 4))
    whole = model(columns="auto").fit(rows)
    assert_same_columns(ae.columns_, whole.columns_)
    np.testing.assert_array_equal(whole.score_samples(lambda: np.array_split(rows, 4)), whole.score_samples(rows))


def test_arrays_of_objects_and_lists_go_by_columns():
    rows = TABLE.select(["tail", "count", "town", "flag"]).to_pandas().to_numpy()
    whole = model().fit(rows)
    for parts in (lambda: np.array_split(rows, 4), lambda: [part.tolist() for part in np.array_split(rows, 4)]):
        ae = model(columns=None if isinstance(parts()[0], np.ndarray) else "auto").fit(parts)
        assert_same_columns(ae.columns_, whole.columns_)
        np.testing.assert_array_equal(whole.score_samples(parts), whole.score_samples(rows))


# -- use ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["score_samples", "transform", "reconstruction_error", "score_columns"])
def test_every_row_gets_the_bits_of_memory(source, fitted, use):
    np.testing.assert_array_equal(getattr(fitted, use)(source), getattr(fitted, use)(TABLE))


def test_a_reconstruction_has_the_schema(source, fitted, tmp_path):
    rebuilt = fitted.reconstruct(source)
    # Days are not rebuilt, and have the type of the source: frames of pandas have moments for them.
    assert rebuilt.cast(TABLE.schema).equals(fitted.reconstruct(TABLE))
    assert rebuilt.schema == TABLE.schema or source is pandas_frames
    path = fitted.write(source, tmp_path / "rebuilt.parquet", "reconstruct")
    assert pq.read_schema(path).names == NAMES
    assert pq.read_table(path).equals(rebuilt)


def test_a_reconstruction_of_frames_is_one(tmp_path):
    ae = model(epochs=1).fit(pandas_frames)
    rebuilt = ae.reconstruct(pandas_frames)
    assert isinstance(rebuilt, pandas.DataFrame)
    assert rebuilt.columns.tolist() == NAMES
    path = ae.write(pandas_frames, tmp_path / "rebuilt.parquet", "reconstruct")
    written = pq.read_table(path)
    assert written.column_names == NAMES
    assert written["town"].to_pylist() == rebuilt["town"].tolist()


@pytest.mark.parametrize("use", ["score_samples", "transform"])
def test_results_are_written(folder, fitted, tmp_path, use):
    path = fitted.write(folder, tmp_path / "result.parquet", use)
    found = np.column_stack([column.to_numpy() for column in pq.read_table(path).columns])
    np.testing.assert_array_equal(found.squeeze(), getattr(fitted, use)(TABLE))


def test_score_batches_finds_columns_by_name(fitted):
    others = TABLE.select(NAMES[::-1]).append_column("key", pa.array([f"k{i}" for i in range(ROWS)]))
    empty = pa.RecordBatch.from_pylist([], others.schema)
    scored = list(fitted.score_batches([empty, *others.to_batches(max_chunksize=200)]))
    assert len(scored[0]) == 0
    assert scored[1].schema.names == [*NAMES[::-1], "key", "score"]
    found = pa.Table.from_batches(scored)
    np.testing.assert_array_equal(found["score"].to_numpy(), fitted.score_samples(TABLE))
    assert found.drop_columns("score").equals(others)


def test_a_model_goes_through_a_file(folder, tmp_path):
    ae = model().fit(folder)
    ae.save(tmp_path / "model.isthmus")
    same = load(tmp_path / "model.isthmus")
    assert same.columns_ == ae.columns_
    np.testing.assert_array_equal(same.score_samples(folder), ae.score_samples(folder))
    assert same.reconstruct(folder).equals(ae.reconstruct(folder))
    np.testing.assert_array_equal(same.score_samples(batches), ae.score_samples(folder))


def test_partial_fit_takes_frames_then_files(folder):
    ae = model()
    ae.partial_fit(TABLE.to_pandas(date_as_object=False))
    before, kinds_before = weights(ae), kinds(ae)
    ae.partial_fit(folder)
    assert ae.n_iter_ == 2
    assert kinds(ae) == kinds_before
    assert not torch.equal(weights(ae), before)
    assert np.isfinite(ae.score_samples(folder)).all()
    assert isinstance(ae.reconstruct(folder), pandas.DataFrame)
    other = model().partial_fit(folder).partial_fit(batches)
    assert other.n_iter_ == 2


# -- what cannot be ----------------------------------------------------------------------------------------------------


def without(given, name):
    return given.drop_columns(name)


def as_text(given, name):
    return given.set_column(NAMES.index(name), name, given[name].cast(pa.string()))


def test_files_that_diverge(tmp_path):
    first, second, third = thirds()
    with pytest.raises(ValueError, match=r"diverging schemas: column 'count' is int16 in .*, but string in"):
        model().fit(write(tmp_path / "types", [first, second, as_text(third, "count")]))
    with pytest.raises(ValueError, match=r"diverging schemas: column 'town' is in .*, but not in"):
        model().fit(write(tmp_path / "names", [first, without(second, "town"), third]))


def test_batches_that_diverge():
    first, second, _ = thirds()
    with pytest.raises(ValueError, match="column 'count' holds integer values in one place and text values in another"):
        model().fit(lambda: [first, as_text(second, "count")])
    with pytest.raises(ValueError, match="column 'town', known from fit, is missing in the batch"):
        model().fit(lambda: [first, without(second, "town")])
    with pytest.raises(ValueError, match="X has other columns than in the first batch: 'town' is missing"):
        model().fit(lambda: [polars.from_arrow(first), polars.from_arrow(without(second, "town"))])


def test_a_column_missing_in_use(tmp_path, fitted):
    place = write(tmp_path / "rows", [without(one, "town") for one in thirds()])
    for use in (fitted.score_samples, fitted.transform, fitted.reconstruct, fitted.partial_fit):
        with pytest.raises(ValueError, match="column 'town', known from fit, is missing in the folder"):
            use(place)
    with pytest.raises(ValueError, match="column 'town', known from fit, is missing in the batch"):
        list(fitted.score_batches(without(TABLE, "town").to_batches()))
    with pytest.raises(ValueError, match="'town' is missing"):
        fitted.score_samples(lambda: [without(TABLE, "town").to_pandas(date_as_object=False)])


def test_another_type_in_use(tmp_path, fitted):
    place = write(tmp_path / "rows", [as_text(TABLE, "count")])
    with pytest.raises(ValueError, match="column 'count' held integer values in fit, and now holds text values"):
        fitted.score_samples(place)


def test_infinite_values_in_a_later_file(tmp_path, fitted):
    parts = thirds()
    parts[2] = parts[2].set_column(1, "tail", pa.array([np.inf, *parts[2]["tail"].to_pylist()[1:]], pa.float32()))
    place = write(tmp_path / "rows", parts)
    for use in (model().fit, fitted.score_samples):
        with pytest.raises(ValueError, match="column 'tail' has 1 infinite values"):
            use(place)


def test_an_iterator_that_is_exhausted():
    once = iter(batches())
    with pytest.raises(ValueError, match="exhausted on the second pass"):
        model().fit(lambda: once)


def test_a_later_pass_that_brings_other_batches():
    passes = []

    def changing():
        passes.append(1)
        return batches() if len(passes) == 1 else batches()[:-1]

    with pytest.raises(ValueError, match="every pass must bring the same batches"):
        model().fit(changing)


def test_nothing_to_read():
    with pytest.raises(ValueError, match="no rows"):
        model(columns="auto").fit(lambda: [])


def test_gaps_in_a_later_batch_of_numbers_say_what_to_do():
    numbers = TABLE.select(["tail", "count"])
    parts = [numbers.slice(0, 300), numbers.slice(300).set_column(0, "tail", pa.nulls(600, pa.float32()))]
    with pytest.raises(ValueError, match=r"column 'tail' has 600 empty cells .* columns='auto'"):
        model().fit(lambda: parts)
    assert model(latent=1, columns="auto", epochs=1).fit(lambda: parts).columns_[0].missing == pytest.approx(2 / 3)


def test_a_failed_fit_leaves_the_model_as_it_was(tmp_path, folder):
    ae = model().fit(folder)
    before = ae.score_samples(folder)
    with pytest.raises(ValueError, match="diverging"):
        ae.fit(write(tmp_path / "types", [TABLE, as_text(TABLE, "count")]))
    np.testing.assert_array_equal(ae.score_samples(folder), before)


def test_what_goes_in_another_form():
    with pytest.raises(ValueError, match="X is a RecordBatchReader, which can be read only once"):
        model().fit(TABLE.to_reader())
    with pytest.raises(ValueError, match=r"X is a RecordBatch; give pyarrow.Table.from_batches"):
        model().fit(batches()[0])


def test_rows_that_cannot_be_are_refused_before_they_are_learned(tmp_path):
    ae = model().fit(TABLE)
    before, scores = weights(ae), ae.score_samples(TABLE)
    parts = thirds()
    place = parts[2].schema.names.index("real")
    parts[2] = parts[2].set_column(place, "real", pa.array(np.full(ROWS // FILES, np.inf)))
    with pytest.raises(ValueError, match=r"column 'real' has .* infinite values"):
        ae.partial_fit(write(tmp_path / "rows", parts))
    assert torch.equal(weights(ae), before)
    np.testing.assert_array_equal(ae.score_samples(TABLE), scores)


def test_a_model_is_in_use_again_where_its_training_fails():
    ae = model().fit(TABLE)
    passes = []

    def changing():
        passes.append(1)
        return batches() if len(passes) <= 2 else batches()[:-1]

    with pytest.raises(ValueError, match="every pass must bring the same batches"):
        ae.partial_fit(changing)
    assert not ae.network_.training
    np.testing.assert_array_equal(ae.score_samples(TABLE), ae.score_samples(TABLE))
