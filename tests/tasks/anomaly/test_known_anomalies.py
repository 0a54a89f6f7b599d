import warnings

import numpy as np
import pytest

from isthmus.tasks.anomaly.known_anomalies import known_anomalies, known_threshold, method_weights


@pytest.mark.parametrize("y", [[-1, 1, -1, -1], [-1.0, 1.0, -1.0, -1.0], np.array(["-1", "1", "-1", "-1"])])
def test_one_is_a_known_anomaly(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert known_anomalies(y, 4).tolist() == [False, True, False, False]
        assert known_anomalies(None, 4) is None
        assert known_anomalies(np.arange(4), 4) is None


@pytest.mark.parametrize(("y", "labels"), [([0, 0, 1, 0], "0, 1"), ([1, 1, 1, 1], "1"), (list("aabb"), "a, b")])
def test_other_labels_are_ignored_with_a_warning(y, labels):
    with pytest.warns(UserWarning, match=rf"y is ignored.*\({labels}\).*np.where\(labels == 'anomaly', 1, -1\)"):
        assert known_anomalies(y, 4) is None


def test_labels_that_cannot_be():
    with pytest.raises(ValueError, match=r"more than half.*if 1 means normal, as in predict, give -y"):
        known_anomalies([1, 1, 1, -1], 4)
    with pytest.raises(ValueError, match="one label for each of the 3 rows"):
        known_anomalies([1, -1, -1, -1], 3)


def test_methods_that_find_known_anomalies_weigh_more_the_more_are_known():
    others = np.random.default_rng(0).normal(size=(500, 3))
    few, many = (method_weights(np.tile([3.0, 0.0, 0.0], (k, 1)), others) for k in (1, 20))
    for weights in (few, many):
        assert weights.sum() == pytest.approx(1)
        assert weights[1] == pytest.approx(weights[2], rel=0.2)
    assert few[1] < few[0] < many[0]
    np.testing.assert_allclose(method_weights(np.full((5, 3), 9.0), others), 1 / 3)


def test_the_threshold_goes_down_to_known_anomalies_that_were_not_called():
    rng = np.random.default_rng(0)
    others = rng.normal(size=1000)
    called = 10
    thresholds = [known_threshold(np.zeros(k), others, called, 0) for k in (1, 20)]
    assert thresholds[1] < 0 < 1 < thresholds[0]
    # Known anomalies that are all called already change little.
    assert known_threshold(np.full(3, 9.0), others, called, called) > 2


def test_at_most_half_of_the_rows_are_called():
    others = np.random.default_rng(0).normal(size=1000)
    assert (others > known_threshold(np.full(50, -5.0), others, 10, 0)).mean() <= 0.5
