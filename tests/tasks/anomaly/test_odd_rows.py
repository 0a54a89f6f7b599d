import numpy as np
import pytest

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly.odd_rows import EvenSample

ROWS = np.random.default_rng(0).normal(size=(500, 3))


@pytest.mark.parametrize("cuts", [1, 7, 500])
@pytest.mark.parametrize("most", [2, 30, 999])
def test_a_sample_is_evenly_spread_however_the_table_is_cut(most, cuts):
    sample = EvenSample(most)
    for piece in np.array_split(ROWS, cuts):
        sample.look(piece, piece[:, 0])
    assert min(most, 500) / 2 <= len(sample.rows) <= most
    np.testing.assert_array_equal(sample.rows, ROWS[:: sample.stride])
    np.testing.assert_array_equal(sample.scores, sample.rows[:, 0])
    assert sample.seen == 500


def test_rows_and_anomalies_are_counted():
    detector = AnomalyDetector(method="mahalanobis", random_state=0).fit(ROWS)
    found = detector.odd_rows(lambda: iter(np.array_split(ROWS, 9)), 4)
    assert (found.rows, found.anomalies) == (500, int((detector.predict(ROWS) == -1).sum()))
    np.testing.assert_allclose(found.explanation.scores, np.sort(-detector.score_samples(ROWS))[::-1][:4])
    np.testing.assert_allclose(found.values, ROWS[found.places])
    np.testing.assert_allclose(found.sample_scores, -detector.score_samples(found.sample))
