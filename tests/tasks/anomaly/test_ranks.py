import numpy as np

from isthmus import AnomalyDetector

RNG = np.random.default_rng(0)


def test_scores_do_not_depend_on_how_columns_are_measured():
    X = RNG.normal(size=(300, 3))
    plain = AnomalyDetector("clean", "ranks", random_state=0).fit(X)
    of_powers = AnomalyDetector("clean", "ranks", random_state=0).fit(np.column_stack([np.exp(X[:, 0]), X[:, 1:] ** 3]))
    np.testing.assert_allclose(plain.decision_scores_, of_powers.decision_scores_, rtol=1e-3, atol=1e-3)


def test_a_row_between_two_groups_is_odd():
    groups = np.repeat([[0.0, 0.0], [5.0, 5.0]], 200, axis=0)
    X = groups + 0.3 * RNG.normal(size=groups.shape)
    detector = AnomalyDetector("clean", "ranks", random_state=0).fit(X)
    between, among = -detector.score_samples([[0.0, 5.0], [5.0, 5.0]])
    assert between > np.quantile(detector.decision_scores_, 0.95) > 2 * among
