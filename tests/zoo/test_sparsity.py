"""What sparse presets promise, on digits: no dead units, and errors beside PCA of as many numbers."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from isthmus import AutoEncoder, BatchTopK, Compute, LifetimeSparse, load, zoo

TRAIN, TEST = train_test_split(load_digits().data, test_size=0.3, random_state=0)
SETTINGS = {"random_state": 0, "compute": Compute(threads=1)}

pytestmark = pytest.mark.filterwarnings("ignore:latent=.* is not smaller than:UserWarning")


def dead(model, rows):
    """Return the share of units that are 0 for every row."""
    return float((model.transform(rows) == 0).all(0).mean())


def error(model, rows=TEST):
    return float(np.mean((model.reconstruct(rows) - rows) ** 2))


def of_pca(size):
    pca = PCA(size).fit(TRAIN)
    return float(np.mean((pca.inverse_transform(pca.transform(TEST)) - TEST) ** 2))


@pytest.mark.slow
def test_no_unit_of_a_k_sparse_code_is_dead_at_defaults():
    """Without the lift 469 of the 1,000 units were dead, and the error was 1.65."""
    model = zoo.k_sparse(**SETTINGS).fit(TRAIN)
    assert dead(model, TRAIN) <= 0.005
    assert dead(model, TEST) <= 0.02
    assert ((model.transform(TEST) != 0).sum(1) == 25).all()
    assert error(model) < 1.6


@pytest.mark.parametrize(
    "make", [zoo.k_sparse, lambda *sizes, **s: AutoEncoder(sizes[0], (), code=BatchTopK(sizes[1]), **s)]
)
def test_no_unit_of_few_is_dead(make):
    model = make(200, 10, **SETTINGS, epochs=40).fit(TRAIN)
    assert dead(model, TRAIN) <= 0.01


def test_more_winners_than_losers_are_needed_where_units_are_few():
    """Half of eight units are on, and their error is below that of PCA with as many numbers as are on, here 10.0."""
    model = zoo.winner_take_all(8, **SETTINGS).fit(TRAIN)
    on = (model.transform(TEST) != 0).sum(1).mean()
    assert on == pytest.approx(4, abs=0.5)
    assert error(model) < 0.85 * of_pca(4) < 0.85 * of_pca(2)


def test_more_units_make_winner_take_all_better():
    eight, sixteen = (error(zoo.winner_take_all(units, **SETTINGS).fit(TRAIN)) for units in (8, 16))
    assert sixteen < 0.9 * eight < 0.9 * of_pca(2)


@pytest.mark.slow
def test_no_winner_is_dead_at_defaults():
    """Cut off at 0, a fifth of the units never learned; so did the error, 1.89."""
    model = zoo.winner_take_all(**SETTINGS).fit(TRAIN)
    assert dead(model, TRAIN) <= 0.005
    assert error(model) < 1.5


def test_thresholds_follow_the_weights():
    """In use each unit is on for about as many rows as in training, however fast the weights move."""
    model = AutoEncoder(30, (), code=LifetimeSparse(0.2), **SETTINGS, epochs=15).fit(TRAIN)
    share = (model.transform(TRAIN) != 0).mean(0)
    assert share == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize("code", [LifetimeSparse(0.2), BatchTopK(5)])
def test_codes_in_a_stream_are_saved_and_go_on(code, tmp_path):
    model = AutoEncoder(30, (), code=code, **SETTINGS)
    for chunk in np.array_split(TRAIN, 8):
        model.partial_fit(chunk)
    assert dead(model, TRAIN) <= 0.1
    model.save(tmp_path / "m.isthmus")
    other = load(tmp_path / "m.isthmus")
    assert np.array_equal(other.transform(TEST), model.transform(TEST))
    assert np.array_equal(other.partial_fit(TEST).transform(TEST), model.partial_fit(TEST).transform(TEST))
