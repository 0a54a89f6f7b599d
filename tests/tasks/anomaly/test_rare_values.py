import numpy as np
import pytest

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly.rare_values import are_rare_values, rarity

RNG = np.random.default_rng(0)


def test_rarity_is_the_sum_of_minus_the_logs_of_shares():
    values = RNG.integers(0, 3, size=(200, 2)).astype(float)
    shares = (values[:, None] == values[None]).mean(1)
    np.testing.assert_allclose(rarity(values), -np.log(shares).sum(1))


def test_columns_of_many_values_do_not_count():
    assert (rarity(RNG.normal(size=(100, 2))) == 0).all()
    assert not are_rare_values(RNG.random(100) < 0.1, RNG.normal(size=(100, 2)))


def test_gaps_are_values_too():
    values = np.where(np.arange(100) < 5, np.nan, 1.0)[:, None]
    assert are_rare_values(np.arange(100) < 5, values)


def test_nothing_above_and_all_above_are_no_gap():
    assert not are_rare_values(np.zeros(9, dtype=bool), np.ones((9, 1)))
    assert not are_rare_values(np.ones(9, dtype=bool), np.ones((9, 1)))


@pytest.mark.parametrize("rows", [300, 1500])
@pytest.mark.parametrize("kind", ["flags", "flag beside numbers", "table"])
def test_rare_levels_are_no_anomalies(rows, kind):
    numbers = RNG.normal(size=(rows, 3))
    X = np.column_stack([numbers, RNG.random(rows) < 0.05])
    if kind == "flags":
        X = (RNG.random((rows, 5)) < [0.5, 0.3, 0.1, 0.05, 0.2]).astype(float)
    if kind == "table":
        pandas = pytest.importorskip("pandas")
        letters = RNG.choice(list("abcd"), rows, p=[0.5, 0.3, 0.15, 0.05])
        X = pandas.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "t": letters})
    detector = AnomalyDetector(calibration_fraction=None, random_state=0).fit(X)
    assert detector.labels_.mean() < 0.016


def test_anomalies_beside_rare_levels_are_still_called():
    flags = RNG.random(1000) < 0.05
    X = np.column_stack([RNG.normal(size=(1000, 4)), flags])
    X[:100, :4] += 9
    detector = AnomalyDetector(calibration_fraction=None, random_state=0).fit(X)
    assert detector.labels_[:100].mean() > 0.9
    assert detector.labels_[100:].mean() < 0.06
