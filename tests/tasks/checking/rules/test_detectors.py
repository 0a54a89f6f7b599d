import numpy as np
import pytest

from isthmus import AnomalyDetector, check

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 1)) * np.ones(3) + 0.2 * RNG.normal(size=(400, 3))


@pytest.fixture(scope="module")
def detector():
    return AnomalyDetector("clean", "mahalanobis", calibration_fraction=0.4, random_state=0).fit(X)


def test_the_decision_is_told_in_words(detector):
    (found,) = check(model=detector)
    assert (found.rule, found.severity) == ("decision", "note")
    assert str(detector.decision_).startswith(found.number)


def test_few_calibration_rows_are_told(told):
    few = AnomalyDetector("clean", "mahalanobis", calibration_fraction=0.1, random_state=0).fit(X)
    assert told("few-calibration-rows", model=few)[0].value == 40
    none = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, random_state=0).fit(X)
    assert told("few-calibration-rows", model=none)[0].severity == "note"


def test_a_large_share_of_anomalies_is_told(told):
    two = np.concatenate([X, X[:200] + np.array([30, -30, 30])])
    found = told("many-anomalies", model=AnomalyDetector(method="mahalanobis", alpha=0.5, random_state=0).fit(two))
    assert all(one.value > 0.25 for one in found)
    asked = AnomalyDetector(method="mahalanobis", contamination=0.4, random_state=0).fit(X)
    assert not told("many-anomalies", model=asked)


def test_drift_is_told_of_changed_rows_alone(detector, told):
    new = RNG.normal(size=(150, 1)) * np.ones(3) + 0.2 * RNG.normal(size=(150, 3))
    assert not told("drift", new, detector)
    assert not told("drift", X, detector)
    (found,) = told("drift", 3 * new, detector)
    assert found.value > 100
