import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from isthmus import AnomalyDetector, load
from isthmus.tasks.anomaly import conformal
from isthmus.tasks.anomaly.decisions import level_threshold
from isthmus.tasks.anomaly.row_groups import group_codes, group_weights, held_out_groups

WINDOW, BLOCK = 24, 60


def windows(rows, seed):
    """Return overlapping windows of an autoregressive series."""
    noise = np.random.default_rng(seed).normal(size=rows + WINDOW + 200)
    series = np.zeros(len(noise))
    for place in range(2, len(noise)):
        series[place] = 1.6 * series[place - 1] - 0.7 * series[place - 2] + noise[place]
    return sliding_window_view(series[201:], WINDOW)[:rows].copy()


def fitted(seed, grouped, **settings):
    rows = windows(2400, seed)
    detector = AnomalyDetector("clean", "neighbours", alpha=0.05, random_state=seed, **settings)
    return detector.fit(rows, groups=np.arange(len(rows)) // BLOCK if grouped else None)


def test_false_alarms_on_overlapping_windows_keep_the_level_by_groups_alone():
    """Windows that are held out one by one have near copies among those that are learned."""
    new = [windows(6000, 100 + seed)[::5] for seed in range(3)]
    plain, grouped = (
        np.mean([(fitted(seed, by_groups).predict(new[seed]) == -1).mean() for seed in range(3)])
        for by_groups in (False, True)
    )
    assert plain > 0.08
    assert 0.005 < grouped <= 0.05


def test_p_values_are_those_of_groups_and_come_back_from_a_file(tmp_path):
    detector, new = fitted(0, grouped=True), windows(50, 9)
    p = detector.pvalues(new)
    assert p.min() >= 1 / (2400 / BLOCK + 1) - 1e-12
    detector.save(tmp_path / "x.isthmus")
    again = load(tmp_path / "x.isthmus")
    np.testing.assert_array_equal(again.pvalues(new), p)
    np.testing.assert_array_equal(again.predict(new), detector.predict(new))
    with pytest.raises(ValueError, match="needs at least 99 calibration rows; there are 40"):
        detector.set_params(alpha=0.01).predict(new)


def test_whole_groups_are_held_out_once_if_asked_for_or_if_there_are_many():
    codes = np.repeat(np.arange(700), 3)
    random = np.random.default_rng(0)
    for fraction, count in (("auto", 140), (0.3, 210), (None, 0)):
        out = held_out_groups(codes, fraction, random)
        assert out.sum() == 3 * count
        assert len(np.unique(codes[out])) == count
    assert not held_out_groups(codes[:300], "auto", random).any()


def test_calibration_in_groups():
    detector = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, random_state=0).fit(windows(600, 1))
    rows, groups = windows(400, 2), np.repeat(np.arange(8), 50)
    detector.calibrate(rows, groups)
    scores = -detector.score_samples(rows)
    own = np.array([(scores.reshape(8, 50) >= score).mean(1).sum() for score in scores])
    np.testing.assert_allclose(detector.pvalues(rows), (1 + own) / 9)
    with pytest.raises(ValueError, match="groups"):
        detector.pvalues(rows, weighted=True)


def test_weights_of_one_change_nothing():
    random = np.random.default_rng(0)
    held_out, folds, scores = random.normal(size=20), np.arange(20) % 2, random.normal(size=(6, 2))
    ones = np.ones(20)
    np.testing.assert_allclose(conformal.cross(held_out, folds, scores, ones), conformal.cross(held_out, folds, scores))
    for level in (0.01, 0.05, 0.3):
        assert level_threshold(held_out, level, ones) == level_threshold(held_out, level)


@pytest.mark.parametrize("level", [0.04, 0.1, 0.3, 0.7])
def test_above_the_threshold_p_values_are_at_most_the_level(level):
    random = np.random.default_rng(0)
    scores, weights = random.normal(size=90), group_weights(np.repeat(np.arange(30), 3))
    threshold = level_threshold(scores, level, weights)
    tried = np.sort(np.r_[scores, scores + 1e-9, 9.0])
    p = conformal.weighted(scores, tried, weights, np.ones(len(tried)))
    np.testing.assert_array_equal(p <= level * (1 + 1e-12), tried > threshold)


@pytest.mark.parametrize(("groups", "match"), [(np.arange(5), "one label per row"), (np.arange(9) % 3, "at least 4")])
def test_groups_are_checked(groups, match):
    with pytest.raises(ValueError, match=match):
        group_codes(groups, 9)
