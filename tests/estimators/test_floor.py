import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA

from isthmus import AutoEncoder, GaussianNoise, TrainingWarning, load, zoo
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows
from isthmus.estimators.floor import Floor, measured_floor

DIGITS = load_digits().data


def fitted(X=DIGITS, latent=8, **settings):
    return AutoEncoder(latent, **{"random_state": 0, "epochs": 3} | settings).fit(X)


def test_errors_are_those_of_pca_and_of_the_model():
    model = fitted(scale="none")
    pca = PCA(8).fit(DIGITS[:1000])
    parts = (pca.mean_, np.ascontiguousarray(pca.components_.T), pca.explained_variance_, DIGITS[:1000].var(0))
    held_out = DIGITS[1000:1100]
    rows = Rows(DIGITS, dtype=torch.float32)
    found = measured_floor(
        model.network_, PrincipalComponents(*map(torch.from_numpy, parts)), rows, torch.arange(1000, 1100)
    )
    theirs = ((pca.inverse_transform(pca.transform(held_out)) - held_out) ** 2).mean(1)
    ours = ((model.reconstruct(held_out) - held_out) ** 2).mean(1)
    np.testing.assert_allclose([found.error, found.model_error], [theirs.mean(), ours.mean()], rtol=1e-4)
    np.testing.assert_allclose(found.standard_error, (ours - theirs).std(ddof=1) / 10, rtol=1e-3)
    np.testing.assert_allclose(found.change, found.model_error - found.error)
    assert found.rows == 100
    assert found.interval[0] < found.gain < found.interval[1]


def test_a_dense_network_with_its_best_weights_is_no_worse():
    for X in (DIGITS, load_breast_cancer().data):
        for latent in (2, 8):
            floor = fitted(X, latent).floor_
            assert floor.change <= 1e-9
            assert floor.kept


def test_a_narrow_hidden_layer_is_told():
    with pytest.warns(TrainingWarning, match="does not reach"):
        floor = fitted(hidden=(3,), floor="tell").floor_
    assert floor.gain < 0
    assert not floor.kept
    assert "% more (95 %: " in str(floor)


def test_one_line_in_the_report(capsys):
    model = fitted(verbose=1)
    assert model.fit_report_.floor == str(model.floor_)
    assert str(model.floor_) in str(model.fit_report_)
    assert capsys.readouterr().out.splitlines()[-1] == str(model.floor_)


@pytest.mark.parametrize(
    "settings",
    [{"init": "orthogonal"}, {"likelihood": "bce", "scale": "minmax"}, {"code": "gaussian", "penalty": "kl"}],
)
def test_it_is_measured_whatever_the_start_and_the_parts(settings):
    plain = fitted().floor_
    with warnings.catch_warnings():
        # Few epochs from random weights end above the floor.
        warnings.simplefilter("ignore", TrainingWarning)
        other = fitted(floor="tell", **settings).floor_
    assert other.method == plain.method == "PCA with 8"
    if "scale" not in settings:
        assert other.error == pytest.approx(plain.error, rel=1e-4)


def test_sparse_rows():
    assert fitted(scipy.sparse.csr_array(DIGITS)).floor_.error > 0


def test_where_there_is_none():
    frame = {"x": np.arange(200.0) ** 0.5, "y": np.where(np.arange(200) % 3, "a", "b")}
    pandas = pytest.importorskip("pandas")
    with pytest.warns(UserWarning, match="is not smaller than"):
        wide = fitted(DIGITS[:, 20:25], latent=9)
    for model in (fitted(validation_fraction=0.0), fitted(pandas.DataFrame(frame), latent=2), wide):
        assert not hasattr(model, "floor_")
    counts = np.random.default_rng(0).poisson(2, (200, 6))
    assert not hasattr(fitted(counts, 2, likelihood="poisson"), "floor_")


def test_a_file_keeps_it(tmp_path):
    model = fitted()
    model.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").floor_ == model.floor_


def test_without_error_there_is_nothing_to_gain():
    floor = Floor("PCA with 2", 0.0, 0.0, 0.0, 0.0, 5, 1.0)
    assert (floor.gain, floor.interval, floor.kept) == (0.0, (0.0, 0.0), True)
    assert Floor.from_dict(floor.to_dict()) == floor


def test_under_noise_the_floor_is_the_wiener_filter():
    model = AutoEncoder(8, scale="none", corruption=GaussianNoise(2.0), random_state=0, epochs=1).fit(DIGITS)
    variances, directions = np.linalg.eigh(np.cov(DIGITS[:1000].T, bias=True))
    order = np.argsort(-variances)[:8]
    kept, most = np.ascontiguousarray(directions[:, order]), variances[order]
    mean = DIGITS[:1000].mean(0)
    principal = PrincipalComponents(*map(torch.from_numpy, (mean, kept, most, DIGITS[:1000].var(0))))
    held_out = torch.arange(1000, 1797)
    found = measured_floor(model.network_, principal, Rows(DIGITS, dtype=torch.float32), held_out)
    # The error of the filter under new noise: what it loses of the rows, and what it lets through of the noise.
    shrunk = kept * (most / (most + 4)) @ kept.T
    lost = (((DIGITS[1000:] - mean) @ (shrunk - np.eye(64))) ** 2).mean()
    let_through = 4 * (shrunk**2).sum() / 64
    assert found.method == "Wiener filter with 8"
    np.testing.assert_allclose(found.error, lost + let_through, rtol=0.02)
    assert model.network_.corruption.generator is None


def test_denoising_with_a_wide_code_has_a_floor_too():
    model = zoo.denoising(64, hidden=(128,), noise=0.3, scale="global", epochs=3, random_state=0).fit(DIGITS)
    assert model.floor_.method == "Wiener filter with 64"
    assert model.floor_.reached
