import numpy as np
import pytest

from isthmus import AnomalyDetector, AutoEncoder
from isthmus.tasks.anomaly.value_ranges import ValueRanges

ROWS = np.random.default_rng(0).poisson(3.0, (50, 3)) + np.array([0.0, 0.5, -2.0])


def test_rows_of_training_are_within_the_ranges_and_stay():
    ranges = ValueRanges.of(ROWS)
    assert ranges.whole.tolist() == [True, False, True]
    np.testing.assert_array_equal(ranges.nearest(ROWS), ROWS)
    far = ranges.nearest(ROWS * 1e6 + 0.4)
    assert (far >= ROWS.min(0)).all()
    assert (far <= ROWS.max(0)).all()
    assert (far[:, [0, 2]] == np.round(far[:, [0, 2]])).all()


def test_ranges_come_back_from_a_state():
    again = ValueRanges.from_state(ValueRanges.of(ROWS).state())
    for one, other in zip(again, ValueRanges.of(ROWS), strict=True):
        np.testing.assert_array_equal(one, other)
    assert ValueRanges.from_state({}) is None


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial", "bernoulli"])
@pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")
def test_models_of_counts_are_explained_by_counts(likelihood):
    """They refuse fractions and numbers below 0."""
    random = np.random.default_rng(0)
    X = random.poisson(np.exp(0.5 + random.normal(size=(200, 1)) * random.normal(size=8))).astype(float)
    X = (X > 1).astype(float) if likelihood == "bernoulli" else X
    model = AutoEncoder(2, likelihood=likelihood, epochs=2)
    detector = AnomalyDetector(estimator=model, calibration_fraction=None, random_state=0).fit(X)
    report = detector.report(X, 3)
    expected = np.asarray(report[["expected_1", "expected_2", "expected_3"]])
    assert (expected == np.round(expected)).all()
    assert (expected >= 0).all()
