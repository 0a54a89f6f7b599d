import warnings

import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_digits

from isthmus import AutoEncoder, TrainingWarning, load
from isthmus.estimators.floor import Floor

DIGITS = load_digits().data


def fitted(X=DIGITS, latent=8, **settings):
    return AutoEncoder(latent, **{"random_state": 0, "epochs": 3} | settings).fit(X)


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


@pytest.mark.filterwarnings("ignore:only .* of the .* codewords:isthmus.TrainingWarning")
def test_where_there_is_none():
    with pytest.warns(UserWarning, match="is not smaller than"):
        wide = fitted(DIGITS[:, 20:25], latent=9)
    for model in (fitted(validation=0.0), wide, fitted(code="fsq"), fitted(DIGITS[:9])):
        assert not hasattr(model, "floor_")


def test_a_file_keeps_it(tmp_path):
    model = fitted()
    model.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").floor_ == model.floor_


def test_without_error_there_is_nothing_to_gain():
    floor = Floor("PCA with 2", 0.0, 0.0, 0.0, 0.0, 5, 1.0)
    assert (floor.gain, floor.interval, floor.kept) == (0.0, (0.0, 0.0), True)
    assert Floor.from_dict(floor.to_dict()) == floor


def test_no_end_of_an_interval_is_minus_nothing():
    text = str(Floor("PCA with 2", 1.0, 0.999, -0.001, 0.001, 100, 2.0))
    assert "0 % less (95 %: 0 to 0)" in text
    assert "10 % less" in str(Floor("PCA with 2", 1.0, 0.9, -0.1, 0.1, 1, 2.0))
