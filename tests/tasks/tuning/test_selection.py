"""The rule of one standard error, and differences that are paired."""

import numpy as np
import pytest
from scipy.stats import sem
from sklearn.metrics import roc_auc_score

from isthmus.tasks.tuning.objectives.auroc import misplaced
from isthmus.tasks.tuning.selection import Candidate, chosen, difference, mean_loss, packed, unpacked

rng = np.random.default_rng(0)
HARD = rng.normal(size=200) * 10


def candidate(number, mean, noise=0.0, **kind):
    return Candidate(number, HARD + mean + noise * np.random.default_rng(number).normal(size=200), **kind)


def test_what_is_hard_for_all_rows_does_not_blur_a_difference():
    found = difference(HARD + 0.1, HARD)
    assert found.mean == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert difference(HARD, np.zeros(200)).standard_error == pytest.approx(sem(HARD))


def test_clearly_worse_defaults_are_not_taken():
    taken, best = chosen([candidate(0, 1.0, default=True), candidate(1, 0.0)], None)
    assert (taken.number, best.number) == (1, 1)


def test_defaults_within_one_standard_error_are_taken():
    defaults, other = candidate(0, 0.0, 1.0, default=True, latent=9), candidate(1, 0.0, 1.0, latent=2)
    behind = difference(defaults.losses, other.losses)
    for shift, taken in ((0.5, 0), (1.5, 1)):
        better = Candidate(1, other.losses + behind.mean - shift * behind.standard_error, latent=2)
        assert chosen([defaults, better], None)[0].number == taken


@pytest.mark.parametrize("field", ["latent", "weights", "changed"])
def test_among_equals_the_smaller_is_taken(field):
    same = [candidate(1, 0.0, **{field: 5}), candidate(2, 0.0, **{field: 3}), candidate(3, 9.0, **{field: 1})]
    assert chosen(same, None)[0].number == 2


def test_a_larger_code_is_taken_only_if_it_is_better():
    assert chosen([candidate(1, 0.0, latent=4), candidate(2, 0.5, latent=2)], None)[0].number == 1


def test_misplaced_rows_are_one_minus_the_area_under_the_curve_in_either_class():
    anomalies = rng.random(60) < 0.3
    scores = np.round(rng.normal(size=60) + anomalies, 1)
    lost, area = misplaced(scores, anomalies), roc_auc_score(anomalies, scores)
    assert lost[anomalies].mean() == pytest.approx(1 - area)
    assert lost[~anomalies].mean() == pytest.approx(1 - area)
    assert mean_loss(lost, anomalies) == pytest.approx(1 - area)


def test_the_standard_error_of_areas_is_that_of_repeated_samples():
    found, errors = [], []
    for _ in range(300):
        anomalies = np.arange(100) < 30
        row = rng.normal(size=100) + anomalies
        losses = [misplaced(row + 0.5 * rng.normal(size=100), anomalies) for _ in range(2)]
        one = difference(*losses, anomalies)
        found.append(one.mean)
        errors.append(one.standard_error)
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.15)


def test_losses_come_back_from_text():
    losses = np.float32(rng.normal(size=20)).astype(float)
    assert np.array_equal(unpacked(packed(losses)), losses)
