import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus import (
    L1,
    Adam,
    AutoEncoder,
    Bernoulli,
    Callback,
    Compute,
    Dense,
    Deterministic,
    Gaussian,
    GaussianNoise,
    Linear,
    Tied,
    TrainingWarning,
)
from isthmus.data import components as principal
from isthmus.engine import devices
from isthmus.engine.fast import zero_skipping
from isthmus.estimators import building, inference

IRIS = load_iris().data
CANCER = load_breast_cancer().data
DIGITS = load_digits().data[:500]
BINARY = (DIGITS > 8)[:, 10:30].astype(float)
METHODS = ["transform", "reconstruct", "score_samples", "reconstruction_error"]


def model(**settings):
    layers = {} if "encoder" in settings else {"hidden": (16,)}
    return AutoEncoder(**{"latent": 2, "epochs": 5, "floor": "tell", "random_state": 0} | layers | settings)


def network_units(ae, X):
    return (X - ae.scaling_.shift.numpy()) / ae.scaling_.scale.numpy()


def weights(ae):
    return torch.cat([parameter.detach().flatten() for parameter in ae.network_.parameters()])


# -- what the methods have to do with each other ----------------------------------------------------------------------

LIKELIHOODS = [Gaussian(), Gaussian(0.5), Gaussian("learned"), Gaussian(activation="sigmoid"), Bernoulli()]


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_reconstruct_is_inverse_transform_of_transform(likelihood, dtype):
    X = DIGITS.astype(dtype)
    ae = model(likelihood=likelihood, scale="global").fit(X)
    np.testing.assert_array_equal(ae.reconstruct(X), ae.inverse_transform(ae.transform(X)))


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=str)
def test_score_is_the_mean_log_density(likelihood):
    ae = model(likelihood=likelihood, scale="minmax").fit(IRIS)
    assert ae.score(IRIS) == ae.log_likelihood(IRIS, 32).mean()
    assert ae.score_samples(IRIS).shape == (150,)


def test_fit_transform_is_fit_then_transform():
    np.testing.assert_array_equal(model().fit_transform(IRIS), model().fit(IRIS).transform(IRIS))


def test_y_is_ignored():
    y = load_iris().target
    np.testing.assert_array_equal(model().fit(IRIS, y).transform(IRIS), model().fit(IRIS).transform(IRIS))


def test_fit_returns_itself():
    ae = model()
    assert ae.fit(IRIS) is ae
    assert ae.partial_fit(IRIS) is ae


@pytest.mark.parametrize("scale", ["standard", "minmax", "global", "none"])
@pytest.mark.parametrize("variance", ["optimal", 0.25])
def test_gaussian_score_is_a_normal_log_density_in_the_datas_units(scale, variance):
    ae = model(likelihood=Gaussian(variance), scale=scale).fit(IRIS)
    deviation = np.sqrt(float(ae.network_.likelihood.variance)) * ae.scaling_.scale.numpy()
    expected = stats.norm.logpdf(IRIS, ae.reconstruct(IRIS), deviation).sum(1)
    np.testing.assert_allclose(ae.score_samples(IRIS), expected, rtol=1e-9)


def test_learned_variance_score_is_a_normal_log_density_in_the_datas_units():
    ae = model(likelihood=Gaussian("learned"), scale="standard").fit(IRIS)
    x = torch.from_numpy(network_units(ae, IRIS))
    with torch.no_grad():
        theta = ae.network_(x).theta
    deviation = np.sqrt(ae.likelihood_.floor + np.exp(theta[:, 4:].numpy())) * ae.scaling_.scale.numpy()
    expected = stats.norm.logpdf(IRIS, ae.reconstruct(IRIS), deviation).sum(1)
    np.testing.assert_allclose(ae.score_samples(IRIS), expected, rtol=1e-9)


def test_bernoulli_score_is_a_log_probability():
    ae = model().fit(BINARY)
    assert ae.likelihood_ == Bernoulli()
    expected = stats.bernoulli.logpmf(BINARY, ae.reconstruct(BINARY)).sum(1)
    np.testing.assert_allclose(ae.score_samples(BINARY), expected, rtol=1e-9)


def test_optimal_variance_is_the_mean_squared_error_of_the_validation_rows():
    class ValidationRows(Callback):
        def on_fit_end(self, trainer):
            self.index = trainer.validation.numpy()

    validation = ValidationRows()
    ae = model(callbacks=[validation], validation=0.2).fit(IRIS)
    held_out = IRIS[validation.index]
    errors = network_units(ae, held_out) - network_units(ae, ae.reconstruct(held_out))
    # Few rows are drawn towards the columns' own variances.
    assert np.mean(errors**2) < float(ae.network_.likelihood.variance) < 1.3 * np.mean(errors**2)


def test_other_units_change_the_density_by_the_volume():
    factor = 2.0 ** np.array([3, -5, 0, 10])  # powers of two change no digit of the training
    one, other = model(scale="standard").fit(IRIS), model(scale="standard").fit(IRIS * factor)
    np.testing.assert_array_equal(other.transform(IRIS * factor), one.transform(IRIS))
    np.testing.assert_allclose(other.reconstruct(IRIS * factor), one.reconstruct(IRIS) * factor, rtol=1e-12)
    difference = one.score_samples(IRIS) - other.score_samples(IRIS * factor)
    np.testing.assert_allclose(difference, np.log(factor).sum(), rtol=1e-9)


def test_other_units_of_any_kind():
    factor, offset = np.array([0.3, 7.0, 1e-4, 100.0]), np.array([5.0, -3.0, 0.0, 1e4])
    one, other = model(scale="minmax").fit(IRIS), model(scale="minmax").fit(IRIS * factor + offset)
    difference = one.score_samples(IRIS) - other.score_samples(IRIS * factor + offset)
    np.testing.assert_allclose(difference, np.log(factor).sum(), rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8", "int32"])
def test_reconstruction_error_is_the_mean_square_in_the_datas_units(dtype):
    X = DIGITS.astype(dtype)
    ae = model().fit(X)
    expected = ((X.astype(float) - ae.reconstruct(X)) ** 2).mean(1)
    np.testing.assert_allclose(ae.reconstruction_error(X), expected, rtol=1e-4)
    assert ae.reconstruction_error(X).dtype == np.float64


def test_training_helps():
    start, end = model(epochs=1, learning_rate=1e-9).fit(CANCER), model(epochs=50).fit(CANCER)
    assert end.score(CANCER) > start.score(CANCER)
    assert end.history_["val_loss"].min() < end.history_["val_loss"][0]


def test_first_reconstruction_is_pcas():
    ae = model(epochs=1, learning_rate=1e-15, validation=0.0, scale="standard").fit(IRIS)
    assert ae.history_.init == "pca (exact)"
    scaler = StandardScaler().fit(IRIS)
    pca = PCA(2).fit(scaler.transform(IRIS))
    expected = pca.inverse_transform(pca.transform(scaler.transform(IRIS)))
    np.testing.assert_allclose(ae.reconstruct(IRIS), scaler.inverse_transform(expected), rtol=1e-8)
    np.testing.assert_allclose(np.abs(ae.transform(IRIS)), np.abs(pca.transform(scaler.transform(IRIS))), atol=1e-8)


def test_outliers_score_lower():
    ae = model(epochs=50).fit(IRIS)
    outliers = IRIS[:20] + np.array([0, 5, -5, 5])
    assert ae.score_samples(outliers).max() < np.quantile(ae.score_samples(IRIS), 0.05)


# -- units and containers ---------------------------------------------------------------------------------------------


def strange(X):
    """Give the same numbers in many kinds of memory."""
    reversed_rows = np.ascontiguousarray(X[::-1])[::-1]
    reversed_columns = np.ascontiguousarray(X[:, ::-1])[:, ::-1]
    read_only = X.copy()
    read_only.flags.writeable = False
    packed = np.zeros(len(X), dtype=[("flag", "u1"), ("values", X.dtype, X.shape[1])])
    packed["values"] = X
    return {
        "fortran": np.asfortranarray(X),
        "columns of a wider table": np.repeat(X, 2, axis=1)[:, ::2],
        "rows of a longer table": np.repeat(X, 3, axis=0)[::3],
        "negative rows": reversed_rows,
        "negative columns": reversed_columns,
        "read-only": read_only,
        "packed record": packed["values"],
        "byte-swapped": X.astype(X.dtype.newbyteorder()),
        "object": X.astype(object),
        "lists": X.tolist(),
        "tuples": tuple(map(tuple, X.tolist())),
    }


@pytest.mark.parametrize("kind", strange(IRIS))
def test_kinds_of_memory(kind):
    given = strange(IRIS)[kind]
    plain, ae = model().fit(IRIS), model().fit(given)
    for method in METHODS:
        np.testing.assert_array_equal(getattr(ae, method)(given), getattr(plain, method)(IRIS))
        np.testing.assert_array_equal(getattr(plain, method)(given), getattr(plain, method)(IRIS))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_memory_map(tmp_path, mode):
    IRIS.tofile(tmp_path / "iris")
    mapped = np.memmap(tmp_path / "iris", np.float64, mode, shape=IRIS.shape)
    np.testing.assert_array_equal(model().fit(mapped).transform(mapped), model().fit(IRIS).transform(IRIS))
    assert (tmp_path / "iris").read_bytes() == IRIS.tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64"])
def test_data_are_neither_copied_nor_changed(dtype, order):
    class Look(Callback):
        def on_fit_start(self, trainer):
            self.address = trainer.rows.table.values.data_ptr()

    look = Look()
    X = np.asarray(DIGITS.astype(dtype), order=order)
    before = X.copy()
    ae = model(callbacks=[look], epochs=1).fit(X)
    assert look.address == X.ctypes.data
    for method in METHODS:
        getattr(ae, method)(X)
    ae.partial_fit(X)
    assert look.address == X.ctypes.data
    np.testing.assert_array_equal(X, before)


NARROW = ["uint8", "int8", "int16", "float16", "float32"]
WIDE = ["int32", "int64", "uint32", "uint64", "float64"]


@pytest.mark.parametrize("dtype", [*NARROW, *WIDE])
def test_number_types(dtype):
    X = DIGITS.astype(dtype)
    ae = model(scale="standard", epochs=2).fit(X)
    expected = np.float32 if dtype in NARROW else np.float64
    assert ae.transform(X).dtype == ae.reconstruct(X).dtype == expected
    assert ae.inverse_transform(ae.transform(X)).dtype == expected
    assert ae.score_samples(X).dtype == np.float64
    reference = model(scale="standard", epochs=2, compute=Compute(precision="float64")).fit(DIGITS)
    assert ae.score(X) == pytest.approx(reference.score(DIGITS), rel=0.01)
    assert np.abs(ae.reconstruct(X) - reference.reconstruct(DIGITS)).mean() < 0.1


def test_unscaled_data():
    X = CANCER * np.logspace(-6, 8, CANCER.shape[1])
    ae = model(epochs=30).fit(X)
    explained = 1 - ((X - ae.reconstruct(X)) ** 2).sum(0) / ((X - X.mean(0)) ** 2).sum(0)
    assert explained.mean() > 0.5
    assert explained.min() > 0, "no column is lost for its small units"


def test_large_offset():
    X = CANCER[:, :5] + 1e9
    near, far = model(scale="standard").fit(CANCER[:, :5]), model(scale="standard").fit(X)
    assert far.score(X) == pytest.approx(near.score(CANCER[:, :5]), rel=1e-3)
    np.testing.assert_allclose(far.reconstruct(X) - 1e9, near.reconstruct(CANCER[:, :5]), rtol=0.05, atol=1)


def test_images_of_bytes():
    X = (DIGITS * 15).astype(np.uint8)
    ae = model(epochs=20, latent=16).fit(X)
    assert ae.likelihood_ == Gaussian(activation="sigmoid")
    assert ae.scaling_.common == X.max()
    back = ae.reconstruct(X)
    assert back.min() >= 0
    assert back.max() <= X.max()
    assert np.abs(back - X).mean() < np.abs(X.mean(0) - X).mean() / 2


def test_zeros_and_ones():
    plain = model().fit(BINARY)
    for X in (BINARY > 0, BINARY.astype(np.uint8), BINARY.astype(np.float32)):
        ae = model().fit(X)
        assert ae.likelihood_ == Bernoulli()
        assert ae.score(X) == pytest.approx(plain.score(BINARY), rel=0.01)
        assert ((ae.reconstruct(X) >= 0) & (ae.reconstruct(X) <= 1)).all()


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (DIGITS / 16, Gaussian(activation="sigmoid")),
        (DIGITS, Gaussian(activation="sigmoid")),
        (IRIS, Gaussian()),
        (BINARY, Bernoulli()),
        (BINARY * 2, Gaussian(activation="sigmoid")),
        (BINARY - 1, Gaussian(activation="sigmoid")),
    ],
)
def test_likelihood_by_the_data(X, expected):
    assert model(epochs=1, floor="tell").fit(X).likelihood_ == expected


def test_frames():
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    names = ["a", "b", "c", "d"]
    plain = model().fit(IRIS)
    for frame in (pandas.DataFrame(IRIS, columns=names), polars.DataFrame(IRIS, schema=names)):
        ae = model().fit(frame)
        assert ae.feature_names_in_.tolist() == names
        for method in METHODS:
            result = getattr(ae, method)(frame)
            assert isinstance(result, type(frame) if method == "reconstruct" else np.ndarray)
            np.testing.assert_array_equal(result, getattr(plain, method)(IRIS))


def test_frame_of_several_number_types():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "whole": pandas.array(np.arange(150) // 2, dtype="Int64"),
            "narrow": IRIS[:, 0].astype(np.float32),
            "bool": IRIS[:, 1] > 3,
            "small": np.round(IRIS[:, 2]).astype(np.uint8),
        }
    )
    ae = model().fit(frame)
    plain = model().fit(np.column_stack([frame[name].to_numpy(np.float64) for name in frame]))
    np.testing.assert_array_equal(ae.transform(frame), plain.transform(frame.to_numpy(np.float64)))


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    pytest.importorskip(container)
    plain = model().fit(IRIS)
    ae = model().set_output(transform=container).fit(IRIS)
    frame = ae.transform(IRIS)
    assert type(frame).__module__.split(".")[0] == container
    assert list(frame.columns) == ["autoencoder0", "autoencoder1"]
    np.testing.assert_array_equal(frame.to_numpy(), plain.transform(IRIS))
    np.testing.assert_array_equal(ae.inverse_transform(frame), plain.reconstruct(IRIS))
    assert isinstance(ae.reconstruct(IRIS), np.ndarray)


def test_feature_names_out():
    assert model(latent=3).fit(IRIS).get_feature_names_out().tolist() == [f"autoencoder{j}" for j in range(3)]


# -- in scikit-learn's company ----------------------------------------------------------------------------------------


def test_pipeline():
    pipeline = make_pipeline(StandardScaler(), model(latent=8), LogisticRegression(max_iter=1000))
    digits, target = load_digits(return_X_y=True)
    assert pipeline.fit(digits[:500], target[:500]).score(digits[500:700], target[500:700]) > 0.7
    assert pipeline[:-1].get_feature_names_out().shape == (8,)


def test_grid_search_over_nested_parameters():
    search = GridSearchCV(
        model(code=Deterministic(), penalty=L1(), optimizer=Adam(), epochs=2),
        {"code__activation": ["identity", "tanh"], "penalty__weight": [0.01, 100.0], "optimizer__epsilon": [1e-6]},
        cv=2,
    ).fit(IRIS)
    assert search.best_params_.keys() == {"code__activation", "penalty__weight", "optimizer__epsilon"}
    best = search.best_estimator_
    assert best.code == Deterministic(search.best_params_["code__activation"])
    assert best.penalty == L1(search.best_params_["penalty__weight"])
    assert best.network_.penalties["l1"].weight == search.best_params_["penalty__weight"]
    assert search.estimator.penalty == L1(), "the parts of the original are not touched"


def test_nested_parameters():
    ae = model(code=Deterministic(), penalty=L1(), corruption=GaussianNoise(), encoder=Dense((4,)))
    ae.set_params(penalty__weight=0.5, corruption__scale=0.25, encoder__hidden=(3,), code__activation="relu")
    assert ae.get_params()["penalty__weight"] == 0.5
    ae.fit(IRIS)
    assert ae.network_.encoder.weights[0].shape == (3, 4)
    assert ae.network_.corruption.scale == 0.25
    assert ae.network_.code.activation == "relu"
    with pytest.raises(ValueError, match="unknown parameter of L1 'wieght'; did you mean 'weight'"):
        ae.set_params(penalty__wieght=1)


def test_fit_does_not_touch_parameters():
    penalty, callbacks = L1(0.1), []
    ae = model(penalty=penalty, callbacks=callbacks, hidden=[16])
    before = ae.get_params()
    ae.fit(IRIS)
    assert ae.get_params() == before
    assert ae.penalty is penalty
    assert ae.callbacks is callbacks


# -- size of the code -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("scale", ["standard", "none"])
def test_latent_as_a_share_of_the_variance(share, scale):
    ae = model(latent=share, scale=scale, validation=0.0, epochs=1).fit(CANCER)
    explained = np.cumsum(PCA().fit(network_units(ae, CANCER)).explained_variance_ratio_)
    assert ae.latent_ == np.argmax(explained >= share) + 1
    assert ae.transform(CANCER).shape == (569, ae.latent_)


def test_share_of_numpys_type_and_without_pca():
    assert model(latent=np.float64(0.9), init="torch").fit(IRIS).latent_ == model(latent=0.9).fit(IRIS).latent_


def test_whole_number_of_numpys_type():
    ae = model(latent=np.int64(3)).fit(IRIS)
    assert ae.latent_ == 3
    assert isinstance(ae.latent_, int)


def test_overcomplete():
    with pytest.warns(UserWarning, match=r"latent=4 is not smaller than the 4 columns.*penalty='l1'"):
        model(latent=4).fit(IRIS)
    model(latent=9, penalty="l1").fit(IRIS)
    model(latent=9, corruption="gaussian_noise").fit(IRIS)
    model(latent=3).fit(IRIS)


# -- sample weights ---------------------------------------------------------------------------------------------------


def test_weight_zero_is_a_row_left_out():
    weight = np.random.default_rng(0).integers(0, 3, len(IRIS)).astype(float)
    used = weight > 0
    one = model().fit(IRIS, sample_weight=weight)
    other = model().fit(IRIS[used], sample_weight=weight[used])
    assert torch.equal(weights(one), weights(other))


def test_weight_two_is_the_row_twice():
    X = IRIS[:90]
    weight = np.random.default_rng(0).integers(1, 4, 90)
    settings = {"batch_size": 300, "epochs": 50, "validation": 0.0}
    weighted = model(**settings).fit(X, sample_weight=weight)
    repeated = model(**settings).fit(np.repeat(X, weight, axis=0))
    # Adam makes much of the last digits of a small gradient.
    np.testing.assert_allclose(weighted.reconstruct(X), repeated.reconstruct(X), atol=1e-4)
    np.testing.assert_allclose(weighted.score_samples(X), repeated.score_samples(X), rtol=1e-3)
    np.testing.assert_allclose(weighted.history_["loss"], repeated.history_["loss"], rtol=1e-4)


@pytest.mark.parametrize("factor", [1.0, 8.0, 1e-6, 1e6])
def test_equal_weights_are_none(factor):
    plain = model().fit(IRIS)
    weighted = model().fit(IRIS, sample_weight=np.full(150, factor))
    np.testing.assert_allclose(weighted.reconstruct(IRIS), plain.reconstruct(IRIS), atol=1e-4)


def test_weights_say_what_matters():
    weight = np.where(np.arange(150) < 50, 100.0, 1.0)
    plain, weighted = model(latent=1, epochs=100).fit(IRIS), model(latent=1, epochs=100).fit(IRIS, sample_weight=weight)
    assert weighted.reconstruction_error(IRIS)[:50].mean() < plain.reconstruction_error(IRIS)[:50].mean()


def test_weights_in_partial_fit():
    weight = np.repeat([0.0, 1.0], 75)
    one = model().partial_fit(IRIS, sample_weight=weight)
    other = model().partial_fit(IRIS[75:], sample_weight=weight[75:])
    assert torch.equal(weights(one), weights(other))


# -- partial_fit ------------------------------------------------------------------------------------------------------


def test_a_stream_of_chunks_improves():
    ae = model(latent=8)
    chunks = np.array_split(DIGITS, 5)
    ae.partial_fit(chunks[0])
    before = ae.score(DIGITS)
    for _ in range(10):
        for chunk in chunks:
            ae.partial_fit(chunk)
    assert ae.score(DIGITS) > before
    assert ae.n_iter_ == len(ae.history_) == 51
    assert ae.history_["epoch"].tolist() == list(range(1, 52))
    assert ae.history_["loss"][-5:].mean() < ae.history_["loss"][:5].mean()
    assert ae.history_["learning_rate"].max() == 0.005


def test_partial_fit_is_reproducible():
    one, other = (model(corruption="gaussian_noise").partial_fit(IRIS).partial_fit(IRIS[:20]) for _ in range(2))
    assert torch.equal(weights(one), weights(other))


def test_partial_fit_goes_on_after_fit():
    ae = model(epochs=4, patience=None).fit(IRIS)
    scaling, before, score = ae.scaling_, weights(ae), ae.score(IRIS)
    for _ in range(30):
        ae.partial_fit(IRIS)
    assert ae.n_iter_ == 34
    assert ae.history_["epoch"].tolist() == list(range(35))
    assert ae.history_.stopped == "partial_fit"
    assert ae.scaling_ is scaling
    assert not torch.equal(weights(ae), before)
    assert ae.score(IRIS) > score


def test_fit_after_partial_fit_starts_anew():
    ae = model().partial_fit(IRIS * 3).partial_fit(IRIS * 3).fit(IRIS)
    assert torch.equal(weights(ae), weights(model().fit(IRIS)))
    assert ae.n_iter_ == 5


def test_partial_fit_of_single_rows():
    ae = model().partial_fit(IRIS)
    ae.partial_fit(IRIS[:1]).partial_fit(IRIS[1:2], sample_weight=[2.0])
    assert ae.n_iter_ == 3


def test_partial_fit_takes_parameters_as_they_are_now():
    ae = model().partial_fit(IRIS)
    ae.set_params(learning_rate=0.125).partial_fit(IRIS)
    assert ae.history_["learning_rate"].tolist() == [0.005, 0.125]


def test_a_bad_chunk_does_not_spoil_the_model():
    ae = model(compute=Compute(precision="float32"), scale="none", likelihood=Gaussian(1.0)).partial_fit(IRIS)
    before = weights(ae)
    with pytest.warns(TrainingWarning, match="not finite"):
        ae.partial_fit(IRIS * 1e30)
    assert torch.equal(weights(ae), before)
    score = ae.score(IRIS)
    for _ in range(10):
        ae.partial_fit(IRIS)
    assert ae.score(IRIS) > score


# -- how training goes ------------------------------------------------------------------------------------------------


def test_history_columns():
    plain = model(validation=0.0).fit(IRIS).history_
    assert plain.columns == ["epoch", "loss", "learning_rate", "seconds"]
    history = model(penalty="l1", validation=0.2).fit(IRIS).history_
    terms = ["loss", "nll", "l1"]
    assert history.columns == ["epoch", *terms, *[f"val_{term}" for term in terms], "learning_rate", "seconds"]
    np.testing.assert_allclose(history["val_loss"], history["val_nll"] + history["val_l1"])
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4, 5]


def test_early_stopping_keeps_the_best():
    settings = {"epochs": 300, "learning_rate": 0.05, "schedule": "constant", "validation": 0.3}
    patient = model(**settings, patience=7).fit(IRIS)
    losses = patient.history_["val_loss"]
    assert patient.history_.stopped == "no better validation loss in 7 epochs"
    assert patient.history_.best_epoch == np.argmin(losses) == patient.n_iter_ - 7
    usual = model(**settings).fit(IRIS)
    assert usual.n_iter_ - usual.history_.best_epoch == 10
    never = model(**settings | {"epochs": 100}, patience=None).fit(IRIS)
    assert never.n_iter_ == 100
    assert never.history_.best_epoch == np.argmin(never.history_["val_loss"])


@pytest.mark.parametrize(("rows", "validated"), [(99, 0), (100, 10), (1050, 105), (30_000, 2000)])
def test_validation_rows(rows, validated):
    class Count(Callback):
        def on_fit_start(self, trainer):
            self.counts = len(trainer.index), len(trainer.validation)
            self.rows = torch.cat([trainer.index, trainer.validation]).sort().values
            trainer.stop("counted")

    count = Count()
    X = np.random.default_rng(0).normal(size=(rows, 3))
    model(callbacks=[count]).fit(X)
    assert count.counts == (rows - validated, validated)
    assert count.rows.tolist() == list(range(rows))
    model(callbacks=[count], validation=0.5).fit(X)
    assert count.counts == (rows - round(rows / 2), round(rows / 2))


def test_stop_with_a_reason():
    class Stop(Callback):
        def on_step_end(self, trainer):
            if trainer.step == 2:
                trainer.stop("two steps are enough")

    ae = model(callbacks=[Stop()]).fit(IRIS)
    assert (ae.n_iter_, ae.history_.stopped) == (2, "two steps are enough")


class Interrupt(Callback):
    def __init__(self, event, count):
        self.left = count
        setattr(self, event, self.react)

    def react(self, trainer):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("event", ["on_step_end", "on_epoch_end"])
@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_interrupted(event, fraction, tmp_path):
    ae = model(callbacks=[Interrupt(event, 3)], validation=fraction)
    with pytest.warns(TrainingWarning, match=r"training was interrupted in epoch \d; the best weights so far are kept"):
        ae.fit(IRIS)
    assert ae.history_.stopped.startswith("interrupted in epoch")
    assert ae.n_iter_ in (2, 3)
    if fraction:
        assert ae.history_.best_epoch == np.argmin(ae.history_["val_loss"])
    assert np.isfinite(ae.score_samples(IRIS)).all()
    ae.save(tmp_path / "model")
    ae.partial_fit(IRIS)


@pytest.mark.parametrize("event", ["on_fit_start", "on_step_end", "on_epoch_end"])
@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_interrupted_at_once(event, fraction, tmp_path):
    ae = model(callbacks=[Interrupt(event, 1)], validation=fraction)
    with pytest.warns(TrainingWarning, match="interrupted"):
        ae.fit(IRIS)
    assert ae.n_iter_ == 1
    assert np.isfinite(ae.score_samples(IRIS)).all()
    assert "interrupted" in repr(ae.history_)
    ae.save(tmp_path / "model")


@pytest.mark.parametrize("event", ["on_fit_start", "on_step_end", "on_epoch_end"])
def test_interrupted_in_partial_fit(event):
    ae = model(callbacks=[Interrupt(event, 2)]).partial_fit(IRIS)
    with pytest.warns(TrainingWarning, match="interrupted"):
        ae.partial_fit(IRIS)
    ae.partial_fit(IRIS)
    assert ae.n_iter_ == 3
    assert np.isfinite(ae.score(IRIS))


@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian(1.0), Gaussian("learned")], ids=str)
def test_divergence(likelihood, tmp_path):
    ae = model(likelihood=likelihood, compute=Compute(precision="float32"), learning_rate=1e30, validation=0.2)
    with pytest.warns(TrainingWarning, match=r"not finite in epoch 1; the weights of epoch 0 are restored.*1e\+30"):
        ae.fit(IRIS)
    assert ae.history_.stopped == "the loss was not finite in epoch 1"
    assert ae.history_.best_epoch == 0
    assert torch.isfinite(weights(ae)).all()
    # The weights are those of the start: PCA.
    start = model(
        likelihood=likelihood,
        compute=Compute(precision="float32"),
        learning_rate=1e-30,
        epochs=1,
        validation=0.2,
    )
    np.testing.assert_allclose(ae.reconstruct(IRIS), start.fit(IRIS).reconstruct(IRIS), rtol=1e-5)
    assert np.isfinite(ae.score_samples(IRIS)).all()
    ae.save(tmp_path / "model")


def test_divergence_before_the_first_step(tmp_path):
    settings = {"scale": "none", "init": "torch", "compute": Compute(precision="float32"), "validation": 0.2}
    ae = model(**settings)
    with pytest.warns(TrainingWarning, match=r"in epoch 0.*scale='standard' tames most"):
        ae.fit(IRIS * 1e19)
    assert ae.n_iter_ == 1
    ae.save(tmp_path / "model")


def test_an_error_in_a_callback_leaves_it_unfitted():
    class Fail(Callback):
        def on_step_end(self, trainer):
            raise RuntimeError("mine")

    ae = model(callbacks=[Fail()], encoder=Dense((8,), dropout=0.5))
    with pytest.raises(RuntimeError, match="mine"):
        ae.fit(IRIS)
    with pytest.raises(NotFittedError):
        ae.transform(IRIS)


def test_automatic_epochs_and_batches():
    class Count(Callback):
        def on_fit_start(self, trainer):
            self.plan = trainer.plan
            trainer.stop("counted")

    def plan(rows, **settings):
        count = Count()
        AutoEncoder(latent=2, hidden=(4,), random_state=0, callbacks=[count], **settings).fit(
            np.random.default_rng(0).normal(size=(rows, 3))
        )
        return count.plan

    assert (plan(50).epochs, plan(50).batch_size) == (200, 50)
    assert (plan(200).epochs, plan(200).batch_size) == (1000, 180)
    large = plan(20_000)
    assert (large.epochs, large.batch_size, large.learning_rate, large.patience) == (20, 128, 0.005, 10)
    given = plan(300, epochs=7, batch_size=11, learning_rate=0.5, patience=3, optimizer="adamw")
    assert (given.epochs, given.batch_size, given.learning_rate, given.patience) == (7, 11, 0.5, 3)
    assert given.optimiser == Adam(weight_decay=0.01)


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(("threads", "used"), [("auto", 1), (1, 1), (2, 2), (None, 3)])
def test_threads_are_torchs_own_afterwards(threads, used):
    class Count(Callback):
        def on_step_end(self, trainer):
            self.count = torch.get_num_threads()

    count = Count()
    ae = model(compute=Compute(threads=threads), callbacks=[count], epochs=1)
    for use in (ae.fit, ae.transform, ae.reconstruct, ae.score_samples, ae.partial_fit):
        use(IRIS)
        assert torch.get_num_threads() == 3
    assert count.count == used


@pytest.mark.usefixtures("three_threads")
def test_threads_are_torchs_own_after_an_error():
    class Fail(Callback):
        def on_step_end(self, trainer):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model(callbacks=[Fail()], compute=Compute(threads=1)).fit(IRIS)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(
    ("precision", "dtype", "expected"),
    [
        ("auto", "float64", torch.float64),
        ("auto", "int64", torch.float64),
        ("auto", "float32", torch.float32),
        ("auto", "uint8", torch.float32),
        ("float64", "float32", torch.float64),
        ("float32", "float64", torch.float32),
        ("bfloat16", "float64", torch.float32),
    ],
)
def test_precision(precision, dtype, expected):
    X = np.round(IRIS * 10).astype(dtype)
    ae = model(compute=Compute(precision=precision), scale="standard", epochs=20).fit(X)
    assert {parameter.dtype for parameter in ae.network_.parameters()} == {expected}
    reference = model(compute=Compute(precision="float64"), scale="standard", epochs=20).fit(X)
    assert ae.score(X) == pytest.approx(reference.score(X), rel=0.02)


def test_large_tables_take_float32():
    X = np.random.default_rng(0).normal(size=(6000, 9))
    ae = model(epochs=1).fit(X)
    assert {parameter.dtype for parameter in ae.network_.parameters()} == {torch.float32}
    assert ae.transform(X).dtype == np.float64


@pytest.mark.parametrize(("init", "said"), [("pca", "pca (exact)"), ("orthogonal", "orthogonal"), ("torch", "torch")])
def test_initialisations(init, said):
    ae = model(init=init).fit(IRIS)
    assert ae.history_.init == said
    assert ae.history_["val_loss"].min() <= ae.history_["val_loss"][0]
    assert ae.history_["loss"][-1] < ae.history_["loss"][1]


def test_pca_starts_ahead():
    start = {init: model(init=init, validation=0.3).fit(CANCER).history_["val_loss"][0] for init in ("pca", "torch")}
    assert start["pca"] < start["torch"]


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus", "elu", "tanh", "sigmoid", "identity"])
def test_activations(activation):
    ae = model(activation=activation, epochs=10).fit(CANCER)
    assert ae.score(CANCER) > model(latent=1, epochs=1, learning_rate=1e-9).fit(CANCER).score(CANCER)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", Adam(epsilon=1e-4)], ids=str)
def test_schedules_and_optimisers(schedule, optimizer):
    ae = model(schedule=schedule, optimizer=optimizer, epochs=30).fit(IRIS)
    assert ae.history_["loss"][-1] < ae.history_["loss"][1]


@pytest.mark.parametrize("hidden", [(), (5,), (12, 6), [12, 6], 7, np.array([9])])
def test_hidden_layers(hidden):
    ae = model(hidden=hidden).fit(IRIS)
    widths = [weight.shape[0] for weight in ae.network_.encoder.weights]
    assert widths == [*np.atleast_1d(np.array(hidden, dtype=int)).tolist(), 2]
    assert [weight.shape[1] for weight in ae.network_.decoder.weights] == widths[::-1]


COMBINATIONS = {
    "linear": {"encoder": Linear()},
    "linear by name": {"encoder": "linear", "decoder": "linear"},
    "no hidden layer": {"hidden": ()},
    "tied": {"decoder": Tied()},
    "tied by name, linear": {"encoder": "linear", "decoder": "tied"},
    "deep encoder, linear decoder": {"encoder": Dense((8, 6)), "decoder": Linear()},
    "norm": {"encoder": Dense((8,), norm="layer")},
    "batch norm and dropout": {"encoder": Dense((8,), norm="batch", dropout=0.2)},
    "sigmoid code": {"code": Deterministic("sigmoid")},
    "relu code, tied": {"code": Deterministic("relu"), "decoder": "tied"},
    "sparse": {"penalty": L1(0.1)},
    "two penalties": {"penalty": [L1(0.1), "l1"]},
    "denoising": {"corruption": GaussianNoise(0.2)},
    "sparse, denoising, tied": {"penalty": "l1", "corruption": "gaussian_noise", "decoder": "tied"},
    "bernoulli": {"likelihood": "bernoulli", "scale": "minmax"},
    "bernoulli, denoising, sigmoid code": {
        "likelihood": Bernoulli(),
        "scale": "minmax",
        "corruption": GaussianNoise(),
        "code": Deterministic("sigmoid"),
    },
    "learned variance, dropout": {"likelihood": Gaussian("learned"), "encoder": Dense((8,), dropout=0.1)},
    "fixed variance, tied": {"likelihood": Gaussian(2.0), "decoder": Tied()},
}


@pytest.mark.parametrize("name", COMBINATIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_combinations(name, weighted):
    settings = COMBINATIONS[name]
    weight = np.linspace(0, 2, 150) if weighted else None
    one, other = (model(**settings).fit(IRIS, sample_weight=weight) for _ in range(2))
    assert one.transform(IRIS).shape == (150, 2)
    assert one.reconstruct(IRIS).shape == (150, 4)
    assert ("val_l1" in one.history_.columns) is ("penalty" in settings)
    for method in METHODS:
        result = getattr(one, method)(IRIS)
        assert np.isfinite(result).all()
        np.testing.assert_array_equal(result, getattr(one, method)(IRIS))
        np.testing.assert_array_equal(result, getattr(other, method)(IRIS))
    assert np.isfinite(one.history_["loss"][1:]).all()


def test_sparsity():
    plain, sparse = model(decoder="tied", epochs=100).fit(CANCER), model(decoder="tied", penalty=L1(30.0), epochs=100)
    assert np.abs(sparse.fit(CANCER).transform(CANCER)).mean() < np.abs(plain.transform(CANCER)).mean() / 2


def test_denoising_learns_to_denoise():
    X = StandardScaler().fit_transform(load_digits().data[:1000])
    noisy = X + np.random.default_rng(0).normal(size=X.shape)
    settings = {"latent": 20, "hidden": (64,), "scale": "none", "epochs": 40}
    plain, denoising = model(**settings).fit(X), model(**settings, corruption=GaussianNoise(1.0)).fit(X)
    error = [np.mean((ae.reconstruct(noisy) - X) ** 2) for ae in (plain, denoising)]
    assert error[1] < 0.75 * error[0]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_constant_columns(precision):
    X = IRIS.copy()
    X[:, 1] = 1e9 + 0.1
    X[:, 3] = 0
    ae = model(latent=1, compute=Compute(precision=precision), epochs=30).fit(X)
    np.testing.assert_allclose(ae.reconstruct(X)[:, [1, 3]], X[:, [1, 3]], atol=0.5)
    assert np.isfinite(ae.score_samples(X)).all()


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, 7.0, -1e9])
@pytest.mark.parametrize("latent", [1, 0.9])
def test_nothing_but_constant_columns(value, latent):
    X = np.full((120, 3), value)
    ae = model(latent=latent).fit(X)
    assert ae.latent_ == 1
    np.testing.assert_allclose(ae.reconstruct(X), X, atol=1e-2, rtol=1e-6)
    assert np.isfinite(ae.score_samples(X)).all()


def test_one_column():
    ae = model(latent=0.9).fit(IRIS[:, :1])
    assert ae.latent_ == 1
    assert ae.reconstruct(IRIS[:, :1]).shape == (150, 1)
    with pytest.warns(UserWarning, match="latent=1 is not smaller than the 1 columns"):
        model(latent=1).fit(IRIS[:, :1])


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_fewer_rows_than_a_batch(rows):
    ae = model(batch_size=128).fit(IRIS[:rows])
    assert ae.transform(IRIS[:rows]).shape == (rows, 2)
    assert np.isfinite(ae.score(IRIS[:rows]))


def test_more_columns_than_rows():
    X = np.random.default_rng(0).normal(size=(10, 300))
    ae = model(latent=3).fit(X)
    assert ae.transform(X).shape == (10, 3)


def test_nothing_is_printed_or_warned_of_in_plain_use(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ae = AutoEncoder(latent=4, epochs=8, random_state=0).fit(DIGITS)
        for method in METHODS:
            getattr(ae, method)(DIGITS)
    assert capfd.readouterr() == ("", "")


def test_another_device(monkeypatch):
    """What goes to the device, seen without one: on torch's "meta" device nothing is computed."""

    def map_rows(function, rows, columns):
        seen.append(rows)
        return np.zeros((1, columns or 1))

    for method in [*METHODS, "inverse_transform"]:
        ae, seen = model().fit(IRIS), []
        with monkeypatch.context() as patch:
            patch.setattr(devices, "device", lambda name: torch.device("meta"))
            patch.setattr(inference, "map_rows", map_rows)
            getattr(ae, method)(np.ones((3, 2)) if method == "inverse_transform" else IRIS)
            looked = inference.Inference(ae.model_, Compute()).input.look(torch.from_numpy(IRIS))
        assert {parameter.device.type for parameter in ae.network_.parameters()} == {"meta"}
        assert looked.x.device.type == "meta"
        assert seen[0].table.device.type == "cpu", "a table to be passed over once does not have to fit on the device"


COUNTS = np.random.default_rng(5).poisson(0.2, (300, 12)).astype(np.float32)


@pytest.mark.parametrize("kind", ["csr_array", "csr_matrix", "csc_array", "coo_array"])
def test_a_sparse_table_gives_the_model_of_the_dense_one(kind):
    sparse = getattr(scipy.sparse, kind)(COUNTS)
    one, other = (AutoEncoder(3, epochs=3, random_state=0).fit(X) for X in (COUNTS, sparse))
    for name in ("transform", "reconstruct", "score_samples", "reconstruction_error"):
        np.testing.assert_allclose(getattr(one, name)(COUNTS), getattr(other, name)(sparse), rtol=1e-5, atol=1e-5)


def test_a_sparse_table_in_chunks_and_with_weights():
    sparse, weight = scipy.sparse.csr_array(COUNTS), np.arange(300) % 3
    models = [AutoEncoder(3, epochs=3, random_state=0) for _ in range(2)]
    for model, X in zip(models, (COUNTS, sparse), strict=True):
        model.partial_fit(X[:200], sample_weight=weight[:200]).partial_fit(X[200:])
    np.testing.assert_allclose(*[model.transform(COUNTS) for model in models], rtol=1e-5, atol=1e-5)


def test_a_sparse_table_never_becomes_dense_as_a_whole(monkeypatch):
    dense = []
    toarray = scipy.sparse.csr_array.toarray

    def noted(self, *given, **named):
        dense.append(self.shape[0])
        return toarray(self, *given, **named)

    monkeypatch.setattr(scipy.sparse.csr_array, "toarray", noted)
    X = scipy.sparse.random_array((3000, 400), density=0.01, format="csr", dtype=np.float32, rng=0)
    AutoEncoder(4, (16,), epochs=1, random_state=0).fit(X).score_samples(X)
    assert 0 < max(dense) <= building.SAMPLE < 3000


def test_cells_kept_twice_out_of_order_or_at_zero_are_what_they_add_up_to():
    at = np.array([3, 0, 3, 5, 5])
    messy = scipy.sparse.csr_array((np.array([1.0, 2, 1, 1, -1]), at, np.array([0, 3, 5])), shape=(2, 12))
    messy = scipy.sparse.csr_array(scipy.sparse.vstack([messy, scipy.sparse.csr_array(COUNTS.astype(float))]))
    assert not messy.has_canonical_format
    before = messy.indices.copy()
    one, other = (AutoEncoder(3, epochs=2, random_state=0).fit(X) for X in (messy, messy.toarray()))
    np.testing.assert_allclose(one.transform(messy), other.transform(messy.toarray()), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(messy.indices, before)


@pytest.mark.parametrize("likelihood", ["multinomial", "poisson", "bernoulli"])
def test_a_wide_sparse_table_gives_the_model_of_the_dense_one_to_rounding(likelihood, monkeypatch):
    monkeypatch.setattr(zero_skipping, "LEAST_PRODUCTS", 1)
    X = scipy.sparse.random_array(
        (200, 1600), density=0.01, format="csr", rng=0, data_sampler=lambda size: np.ones(size)
    )
    X.data[::5] = 1 if likelihood == "bernoulli" else 3
    settings = {
        "likelihood": likelihood,
        "epochs": 2,
        "compute": Compute(precision="float64"),
        "scale": "none",
        "random_state": 0,
    }
    one, other = (AutoEncoder(3, (8,), **settings).fit(table) for table in (X, X.toarray()))
    assert one.fit_report_.steps.endswith("zeros skipped in the first layer")
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(one.history_[name], other.history_[name], rtol=1e-6)
    np.testing.assert_allclose(one.transform(X), other.transform(X), atol=1e-5)


@pytest.mark.parametrize(("likelihood", "asked"), [("gaussian", 1), ("poisson", 0), ("multinomial", 0)])
def test_components_that_nothing_starts_at_are_not_looked_for(likelihood, asked, monkeypatch):
    calls = []
    components = principal.principal_components
    monkeypatch.setattr(principal, "principal_components", lambda *given: calls.append(1) or components(*given))
    settings = {"epochs": 1, "likelihood": likelihood, "validation": 0.0, "random_state": 0}
    model = AutoEncoder(3, **settings).fit(COUNTS)
    assert len(calls) == asked
    assert model.history_.init.startswith("pca" if asked else "orthogonal (pca is not possible: the likelihood")
    AutoEncoder(0.5, **settings).fit(COUNTS)
    assert len(calls) == asked + 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gap_in_a_sparse_table_is_named(value):
    X = scipy.sparse.csr_array(COUNTS)
    X.data[7] = value
    with pytest.raises(ValueError, match=f"NaN or infinity.*column {X.indices[7]}: 1"):
        AutoEncoder(3).fit(X)
