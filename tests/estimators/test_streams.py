import threading
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import torch
import zarr

from isthmus import FSQ, AutoEncoder, Callback, load
from isthmus.data import chunks

RNG = np.random.default_rng(0)
NAMES = ["a", "b", "c", "d", "e"]
X = (np.tanh(RNG.normal(size=(3000, 2))) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(3000, 5))) * 3 + 1
X = X.astype(np.float32)[np.argsort(X[:, 0])]
FRAME = pa.table({name: X[:, j] for j, name in enumerate(NAMES)})
USES = ["transform", "reconstruct", "score_samples", "reconstruction_error", "score"]


def model(**settings):
    return AutoEncoder(**{"latent": 2, "hidden": (16,), "epochs": 4, "random_state": 0} | settings)


def weights(ae):
    return torch.cat([parameter.detach().flatten() for parameter in ae.network_.parameters()])


def batches():
    for start in range(0, 3000, 170):
        yield X[start : start + 170]


def folder(place):
    for i in range(3):
        pq.write_table(FRAME.slice(1000 * i, 1000), place / f"{i}.parquet", row_group_size=130)
    return place


def on_disk(place):
    with h5py.File(place / "x.h5", "w") as file:
        file.create_dataset("x", data=X, chunks=(100, 5))
    return h5py.File(place / "x.h5")["x"]


SOURCES = {
    "folder": folder,
    "data set": lambda place: pyarrow.dataset.dataset(folder(place)),
    "record batches": lambda place: lambda: FRAME.to_batches(max_chunksize=170),
    "function": lambda place: batches,
    "h5py": on_disk,
    "zarr": lambda place: zarr.create_array(place / "x.zarr", data=X, chunks=(100, 5)),
}


@pytest.fixture(params=SOURCES)
def source(request, tmp_path, monkeypatch):
    # Small, so that these few rows do not fit.
    monkeypatch.setattr(chunks, "BUFFER_BYTES", 600 * 20)
    monkeypatch.setattr(chunks, "PIECE_BYTES", 200 * 20)
    monkeypatch.setattr(chunks, "KEPT_BYTES", 200 * 20)
    (tmp_path / "source").mkdir()
    given = SOURCES[request.param](tmp_path / "source")
    yield given
    if hasattr(given, "file"):
        given.file.close()


@pytest.fixture
def fitted():
    return model().fit(pd.DataFrame(X, columns=NAMES))


# -- training ----------------------------------------------------------------------------------------------------------


def test_result_is_that_of_memory_within_noise(source):
    ae, other = model(epochs=10).fit(source), model(epochs=10).fit(X)
    assert ae.n_features_in_ == 5
    np.testing.assert_allclose(ae.scaling_.scale, other.scaling_.scale, rtol=1e-6)
    assert ae.history_.init == other.history_.init
    assert ae.history_["val_loss"][0] == pytest.approx(other.history_["val_loss"][0], abs=0.15)
    assert ae.score(source) == pytest.approx(other.score(X), abs=0.1)
    assert ae.fit_report_.data == "read in chunks"
    assert (ae.fit_report_.rows, ae.fit_report_.validation_rows) == (
        other.fit_report_.rows,
        other.fit_report_.validation_rows,
    )


def test_same_seed_same_result(source):
    one, two, other = model().fit(source), model().fit(source), model(random_state=1).fit(source)
    assert torch.equal(weights(one), weights(two))
    assert one.history_["val_loss"].tolist() == two.history_["val_loss"].tolist()
    assert not torch.equal(weights(one), weights(other))


def test_a_mapped_array_is_as_one_in_memory(tmp_path):
    np.save(tmp_path / "x.npy", X)
    ae = model().fit(X)
    for given in (tmp_path / "x.npy", str(tmp_path / "x.npy"), np.load(tmp_path / "x.npy", mmap_mode="r")):
        assert torch.equal(weights(model().fit(given)), weights(ae))
        np.testing.assert_array_equal(ae.transform(given), ae.transform(X))


def test_names_come_from_the_schema(tmp_path):
    ae = model().fit(folder(tmp_path))
    assert ae.feature_names_in_.tolist() == NAMES
    assert not hasattr(ae.fit(batches), "feature_names_in_")
    assert model().fit(lambda: FRAME.to_batches()).feature_names_in_.tolist() == NAMES


def test_two_passes_before_training_and_one_an_epoch():
    begun, taken = [], []

    class Note(Callback):
        def on_fit_start(self, run):
            taken.append(len(begun))

    def counted():
        begun.append(1)
        yield from batches()

    ae = model(callbacks=[Note()]).fit(counted)
    assert taken == [2]
    assert len(begun) == 2 + len(ae.history_) - 1


def test_the_sample_of_pca_is_told(monkeypatch):
    monkeypatch.setattr("isthmus.estimators.rules.PRINCIPAL_ROWS", 500)
    assert model().fit(batches).history_.init.endswith("of 500 of the 2,700 rows")


def test_weights_count_as_in_memory(source):
    weight = RNG.uniform(0.1, 3, 3000)
    ae = model().fit(source, sample_weight=weight)
    np.testing.assert_allclose(ae.scaling_.shift, np.average(X, axis=0, weights=weight), rtol=1e-5)
    with pytest.raises(
        ValueError, match="10 sample weights are 0, and rows that are read in chunks cannot be left out"
    ):
        model().fit(source, sample_weight=np.r_[np.zeros(10), np.ones(2990)])


@pytest.mark.parametrize(
    "settings",
    [
        {"validation": 0.0},
        {"latent": 0.9},
        {"likelihood": "laplace"},
        {"scale": "minmax"},
        {"batch_size": 1000},
    ],
    ids=str,
)
def test_other_settings(settings):
    ae, other = (model(**settings).fit(given) for given in (batches, X))
    assert ae.latent_ == other.latent_
    assert ae.score(X) == pytest.approx(other.score(X), abs=0.4)


def test_partial_fit_takes_a_source(source):
    ae = model().partial_fit(source).partial_fit(source)
    assert (ae.n_iter_, ae.fit_report_.rows) == (2, 3000)
    np.testing.assert_allclose(ae.scaling_.shift, X.mean(0), rtol=1e-4)


def test_nothing_is_left_running(source):
    before = threading.active_count()
    model(epochs=2).fit(source)
    assert threading.active_count() == before


def test_layers_are_not_trained_one_by_one():
    with pytest.raises(ValueError, match="init='layerwise' keeps what a layer gives for every row"):
        model(init="layerwise").fit(batches)


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_gaps_are_found_in_their_rows_and_columns(tmp_path, fitted):
    bad = X.copy()
    bad[1234, 3] = np.nan
    table = pa.table({name: bad[:, j] for j, name in enumerate(NAMES)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=1000)
    expected = r"1 NaN and 0 infinite values \(column 'd': 1\).* They are among the rows 1000 to 1999"
    for use in (model().fit, model().partial_fit, fitted.partial_fit):
        with pytest.raises(ValueError, match=expected):
            use(tmp_path)
    for use in USES:
        np.testing.assert_array_equal(getattr(fitted, use)(tmp_path), getattr(fitted, use)(table))
    with pytest.raises(ValueError, match=r"1 NaN .*\(column 3: 1\)"):
        model().fit(lambda: [bad])


def test_failing_leaves_the_estimator_as_it_was(fitted):
    before = fitted.score(pd.DataFrame(X, columns=NAMES))
    one = batches()
    with pytest.raises(ValueError, match=r"<lambda>\(\) returned is exhausted on the second pass"):
        fitted.fit(lambda: one)
    assert fitted.score(pd.DataFrame(X, columns=NAMES)) == before


def test_other_columns_at_use(tmp_path, fitted):
    pq.write_table(FRAME.select(["a", "b", "c", "d"]), tmp_path / "x.parquet")
    for use in [*USES, "partial_fit"]:
        with pytest.raises(ValueError, match="column 'e', known from fit, is missing"):
            getattr(fitted, use)(tmp_path)
        with pytest.raises(ValueError, match="X has 4 features, but AutoEncoder is expecting 5 features"):
            getattr(fitted, use)(lambda: [X[:, :4]])


def test_too_few_rows():
    with pytest.raises(ValueError, match="X has 1 rows and 5 columns; at least 2 and 1 are needed"):
        model().fit(lambda: [X[:1]])
    with pytest.raises(ValueError, match="X has no rows"):
        model().fit(X).transform(lambda: [X[:0]])


def test_values_outside_the_likelihood():
    with pytest.raises(ValueError, match="likelihood Bernoulli needs values"):
        model(likelihood="bernoulli", scale="none").fit(batches)


# -- use ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
def test_use_gives_the_same_bits(source, use):
    ae = model().fit(X)
    expected = getattr(ae, use)(X)
    found = getattr(ae, use)(source)
    np.testing.assert_array_equal(found, expected)
    assert type(found) is type(expected)


def test_columns_are_found_by_name(tmp_path, fitted):
    mixed_up = FRAME.select(NAMES[::-1]).append_column("more", pa.array(["text"] * 3000))
    pq.write_table(mixed_up, tmp_path / "x.parquet")
    expected = fitted.transform(pd.DataFrame(X, columns=NAMES))
    for given in (tmp_path, lambda: mixed_up.to_batches(max_chunksize=170)):
        np.testing.assert_array_equal(fitted.transform(given), expected)


@pytest.mark.parametrize("use", ["transform", "reconstruct", "score_samples"])
def test_results_are_written(source, tmp_path, use):
    ae = model().fit(X)
    expected = getattr(ae, use)(X)
    path = tmp_path / "result.parquet"
    for given, to in ((source, path), (X, str(path))):
        assert ae.write(given, to, use) == Path(path)
        found = pq.read_table(path)
        np.testing.assert_array_equal(np.stack([c.to_numpy() for c in found.columns], 1), expected.reshape(3000, -1))
    names = {"transform": ["autoencoder0", "autoencoder1"], "score_samples": ["score"]}
    assert found.schema.names == names.get(use, [f"x{j}" for j in range(5)])


def test_frames_where_they_are_asked_for(tmp_path):
    ae = model().fit(X).set_output(transform="pandas")
    found = ae.transform(batches)
    assert isinstance(found, pd.DataFrame)
    pd.testing.assert_frame_equal(found, ae.transform(X))


def test_a_saved_model_takes_sources(tmp_path, fitted):
    fitted.save(tmp_path / "model.isthmus")
    again = load(tmp_path / "model.isthmus")
    given = folder(tmp_path)
    np.testing.assert_array_equal(again.transform(given), fitted.transform(given))


def test_codewords_and_likelihoods_of_sources():
    quantised = model(code=FSQ(levels=(5, 5))).fit(X)
    np.testing.assert_array_equal(quantised.indices(batches), quantised.indices(X))
