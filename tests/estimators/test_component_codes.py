import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from isthmus import AutoEncoder, Dense, Linear, Principal, TopK, load
from isthmus.data.components import components_of
from isthmus.data.dense import DenseTable
from isthmus.data.rows import Rows
from isthmus.estimators import component_codes

CANCER, DIGITS = load_breast_cancer().data, load_digits().data
SHORT = {"epochs": 3, "random_state": 0, "floor": "tell"}


def encoder_of(model):
    return type(model.model_.composition.encoder)


def same_up_to_signs(codes, others, tolerance):
    signs = np.sign((codes * others).sum(0))
    np.testing.assert_allclose(codes, signs * others, atol=tolerance * np.abs(others).max())


@pytest.mark.parametrize("latent", [2, 8, 20])
def test_codes_of_a_table_are_the_principal_components_of_all_its_rows(latent):
    model = AutoEncoder(latent, **SHORT).fit(CANCER)
    scaled = StandardScaler().fit_transform(CANCER)
    same_up_to_signs(model.transform(CANCER), PCA(latent).fit_transform(scaled), 1e-9)


def test_codes_of_columns_of_one_unit_are_those_of_the_rows_as_they_are():
    model = AutoEncoder(16, **SHORT).fit(DIGITS)
    same_up_to_signs(model.transform(DIGITS), PCA(16).fit_transform(DIGITS / 16), 1e-4)


@pytest.mark.filterwarnings("ignore:.* validation rows equal rows:isthmus.TrainingWarning")
def test_components_are_those_of_weighted_rows():
    weight = np.repeat([1, 3], [len(CANCER) // 2, len(CANCER) - len(CANCER) // 2])
    weighted = AutoEncoder(4, **SHORT).fit(CANCER, sample_weight=weight)
    repeated = AutoEncoder(4, **SHORT).fit(np.repeat(CANCER, weight, axis=0))
    same_up_to_signs(weighted.transform(CANCER), repeated.transform(CANCER), 1e-9)


def test_training_changes_the_decoder_alone_and_lowers_the_error():
    first, later = (AutoEncoder(8, epochs=epochs, random_state=0).fit(CANCER) for epochs in (1, 40))
    np.testing.assert_array_equal(first.transform(CANCER), later.transform(CANCER))
    assert later.floor_.model_error < min(later.floor_.error, first.floor_.model_error)
    np.testing.assert_allclose(later.inverse_transform(later.transform(CANCER)), later.reconstruct(CANCER), rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_training_rows_decode_by_least_squares(weighted):
    x = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([3.0, 2, 1, 1, 0.5])
    weight = np.random.default_rng(1).random(60) + 0.5 if weighted else None
    rows = Rows(DenseTable(x), weight, None, torch.float64)
    everything, training = torch.arange(60), torch.arange(40)
    principal = components_of(rows, everything, 5, 3, torch.Generator(), lambda block: block)

    whole = component_codes.decoded_by(principal, rows, everything)
    torch.testing.assert_close(whole.decoder, principal.components)
    of_some = component_codes.decoded_by(principal, rows, training)
    root = np.sqrt(np.ones(60) if weight is None else weight)[:40, None]
    centred = (x - principal.mean.numpy())[:40]
    expected = np.linalg.lstsq(root * (centred @ principal.components.numpy()), root * centred, rcond=None)[0].T
    np.testing.assert_allclose(of_some.decoder, expected, atol=1e-10)
    some = torch.from_numpy(x[:40])
    errors = [(root * (found.reconstruct(some) - some).numpy()) ** 2 for found in (of_some, principal)]
    assert errors[0].sum() < errors[1].sum()


def test_the_start_is_the_floor():
    """Both decode components of all rows by training rows, so that no epoch is compared with what knows more."""
    model = AutoEncoder(8, epochs=1, learning_rate=1e-12, random_state=0).fit(CANCER)
    assert abs(model.floor_.change) < 1e-9 * model.floor_.error
    assert model.floor_.reached


@pytest.mark.filterwarnings("ignore:no epoch was better")
def test_a_start_that_stays_is_pca_of_all_rows():
    """No epoch is better at such a learning rate; held-out rows then help to decode."""
    model = AutoEncoder(16, epochs=1, learning_rate=10.0, random_state=0).fit(CANCER)
    assert model.history_.best_epoch == 0
    scaler, pca = StandardScaler().fit(CANCER), PCA(16)
    scaled = scaler.transform(CANCER)
    back = scaler.inverse_transform(pca.inverse_transform(pca.fit_transform(scaled)))
    np.testing.assert_allclose(model.reconstruct(CANCER), back, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore:the code is larger than it must be:isthmus.TrainingWarning")
@pytest.mark.filterwarnings("ignore:.* coordinates of the code are unused:isthmus.TrainingWarning")
def test_coordinates_beyond_the_rank_are_zero():
    twice = np.c_[CANCER[:, :3], CANCER[:, :3], 2 * CANCER[:, :3]]
    codes = AutoEncoder(5, **SHORT).fit(twice).transform(twice)
    assert np.all(codes[:, :3].std(0) > 0.01)
    np.testing.assert_array_equal(codes[:, 3:], 0)


@pytest.mark.parametrize(
    ("settings", "X"),
    [
        ({}, CANCER),
        ({"hidden": 128}, CANCER),
        ({"likelihood": "mse"}, CANCER),
        ({"floor": "tell"}, CANCER),
        ({"latent": 0.9}, CANCER),
        ({"scale": "standard"}, DIGITS),
        ({"latent": 16}, DIGITS),
        ({"scale": "standard"}, scipy.sparse.csr_array(DIGITS)),
    ],
)
def test_where_components_are_the_codes(settings, X):
    model = AutoEncoder(**{"latent": 4} | SHORT | settings).fit(X)
    assert encoder_of(model) is Principal
    assert model.fit_report_.scale.endswith(", codes are the principal components")


@pytest.mark.parametrize(
    ("settings", "X"),
    [
        ({}, DIGITS),  # four components hold less than four fifths of the variance
        ({"encoder": "dense"}, CANCER),
        ({"decoder": Dense((8,))}, CANCER),
        ({"init": "orthogonal", "floor": "tell"}, CANCER),
        ({"hidden": ()}, CANCER),
        ({"hidden": (16, 8)}, CANCER),
        ({"activation": "relu"}, CANCER),
        ({"activation": "identity"}, CANCER),
        ({"penalty": "l1", "floor": "tell"}, CANCER),
        ({"corruption": "gaussian_noise"}, CANCER),
        ({"likelihood": "student_t"}, CANCER),
        ({"code": "ordered"}, CANCER),
    ],
)
@pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")
def test_where_an_encoder_is_trained(settings, X):
    model = AutoEncoder(**{"latent": 4} | SHORT | settings).fit(X)
    assert encoder_of(model) is not Principal
    assert "components" not in model.fit_report_.scale
    assert next(model.network_.encoder.parameters(), None) is not None


def test_many_rows_of_one_unit_train_an_encoder(monkeypatch):
    monkeypatch.setattr(component_codes, "MANY", len(DIGITS))
    assert encoder_of(AutoEncoder(16, **SHORT).fit(DIGITS)) is Dense


def test_streams_train_an_encoder_that_follows_them():
    assert encoder_of(AutoEncoder(4, random_state=0).partial_fit(CANCER)) is Dense


def test_a_fitted_model_follows_a_stream():
    """The components change with the units, so that a row keeps its code."""
    model = AutoEncoder(4, **SHORT).fit(CANCER)
    before = model.transform(CANCER)
    model.partial_fit(CANCER)
    np.testing.assert_allclose(model.transform(CANCER), before, atol=1e-9)
    model.partial_fit(1.01 * CANCER)
    np.testing.assert_allclose(model.transform(CANCER), before, atol=1e-9)


def test_a_model_file_holds_the_components(tmp_path):
    model = AutoEncoder(4, **SHORT).fit(CANCER)
    model.save(tmp_path / "model.isthmus")
    again = load(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(again.transform(CANCER), model.transform(CANCER))
    np.testing.assert_array_equal(again.reconstruct(CANCER), model.reconstruct(CANCER))


def test_principal_as_a_part():
    stated = AutoEncoder(4, encoder=Principal((128,)), **SHORT).fit(CANCER)
    np.testing.assert_array_equal(stated.reconstruct(CANCER), AutoEncoder(4, **SHORT).fit(CANCER).reconstruct(CANCER))
    linear = AutoEncoder(4, encoder="principal", decoder=Linear(), **SHORT).fit(CANCER)
    np.testing.assert_array_equal(linear.transform(CANCER), stated.transform(CANCER))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"init": "orthogonal"}, "init must be 'pca', got 'orthogonal'"),
        ({"code": TopK(2)}, "at which this network cannot start: take encoder='dense'"),
    ],
)
def test_where_components_cannot_be_written(settings, words):
    with pytest.raises(ValueError, match=words):
        AutoEncoder(4, encoder="principal", **settings).fit(CANCER)
