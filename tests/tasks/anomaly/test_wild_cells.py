"""A few wild cells among the training rows must not hide other anomalies."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from isthmus import AnomalyDetector

METHODS = ["auto", "denoiser", "residual", "likelihood", "mahalanobis", "neighbours", "ranks", "histogram"]
RNG = np.random.default_rng(0)
MIXING = RNG.normal(size=(3, 6))


def rows(count):
    return RNG.normal(size=(count, 3)) @ MIXING + 0.2 * RNG.normal(size=(count, 6))


TRAIN, NORMAL, ODD = rows(1000), rows(300), rows(60)
for row in ODD:
    row[RNG.permutation(6)[:2]] = 1.5 * rows(1)[0][:2]
NEW = np.concatenate([NORMAL, ODD])
IS_ODD = np.repeat([0, 1], [300, 60])


def auc(detector, X, new, is_odd):
    return roc_auc_score(is_odd, -detector.fit(X).score_samples(new))


@pytest.fixture(autouse=True)
def brief(trained_briefly):
    """Each detector is compared with itself, and a fourth of the steps is enough to find these anomalies."""
    with trained_briefly(375):
        yield


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
@pytest.mark.parametrize("method", METHODS)
def test_other_anomalies_are_found_all_the_same(setting, method):
    detector = AnomalyDetector(setting, method, calibration_fraction=None, random_state=0)
    without = auc(detector, np.concatenate([TRAIN, TRAIN[:4]]), NEW, IS_ODD)
    for size in (1e1, 1e3, 1e9):
        wild = TRAIN[:4].copy()
        wild[np.arange(4), np.arange(4)] = size
        assert auc(detector, np.concatenate([TRAIN, wild]), NEW, IS_ODD) > without - 0.04, size


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
def test_in_tables_of_several_kinds_too(setting):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)

    def table(count):
        z = rng.normal(size=count)
        near = 0.1 * rng.normal(size=(2, count))
        return pandas.DataFrame({"a": z, "b": near[0] - z, "c": np.exp(z + near[1]), "t": np.where(z > 0, "x", "y")})

    train, normal, odd = table(800), table(300), table(60)
    odd["b"] = rng.permutation(odd["b"].to_numpy())
    new = pandas.concat([normal, odd])
    detector = AnomalyDetector(setting, calibration_fraction=None, random_state=0)
    without = auc(detector, train, new, IS_ODD)
    for size in (1e3, 1e9):
        wild = train.copy()
        for row, (name, value) in enumerate([("a", size), ("b", -size), ("c", size)]):
            wild.loc[row, name] = value
        assert auc(detector, wild, new, IS_ODD) > without - 0.06, size


def test_relations_that_hold_nearly_exactly_are_seen_through_heavy_tails():
    rng = np.random.default_rng(0)
    X = rng.standard_t(2, size=(1500, 2)) @ rng.normal(size=(2, 8)) + 0.05 * rng.normal(size=(1500, 8))
    for row in X[:75]:
        row[rng.permutation(8)[:2]] += rng.choice([-1, 1], 2) * rng.uniform(0.5, 1.5, 2)
    detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0).fit(X)
    assert roc_auc_score(np.arange(1500) < 75, detector.decision_scores_) > 0.9
