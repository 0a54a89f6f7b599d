import numpy as np
import pytest

from isthmus import AutoEncoder, check

RNG = np.random.default_rng(0)
FACTORS = RNG.normal(size=(4, 20))


def rows(n, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)) @ FACTORS + 0.3 * rng.normal(size=(n, 20))


@pytest.fixture(scope="module")
def model():
    return AutoEncoder(4, epochs=10, random_state=0).fit(rows(600, 0))


def test_false_alarms_are_rare(model):
    alarms = sum(len(check(rows(100, seed), model, ignore=["floor-returned"])) for seed in range(1, 31))
    assert alarms <= 1


def test_rows_that_are_reconstructed_worse_are_told(model, told):
    (found,) = told("error-above-training", RNG.permuted(rows(200, 1), axis=0), model)
    assert found.value > 2


def test_means_that_move_are_told_with_the_distance(model, told):
    moved = rows(200, 1)
    moved[:, 3] += moved[:, 3].std()
    (found,) = told("moved-columns", moved, model)
    assert found.columns == ("3",)
    assert found.value == pytest.approx(1, abs=0.2)


def test_arrays_of_another_width_are_told(model, told):
    assert told("missing-columns", rows(50, 1)[:, :18], model)[0].columns == ("18", "19")
    assert told("new-columns", np.c_[rows(50, 1), np.zeros(50)], model)[0].columns == ("20",)


def test_spreads_that_grow_are_told(model, told):
    wider = rows(200, 1)
    wider[:, 3] = wider[:, 3].mean() + 2 * (wider[:, 3] - wider[:, 3].mean())
    (found,) = told("moved-columns", wider, model)
    assert found.columns == ("3",)
    assert "spread" in found.number


def test_a_target_that_the_model_does_not_know_is_left_out(told, clean):
    fitted = AutoEncoder(2, epochs=1, random_state=0).fit(clean)
    known = clean.assign(y=1)
    assert told("new-columns", known, fitted)
    assert not told("new-columns", known, fitted, target="y")
