import numpy as np
import torch

from isthmus.data.schema import TableSchema
from isthmus.tasks.anomaly.rarity import PRIOR, Rarity
from isthmus.tasks.anomaly.training import Training

RNG = np.random.default_rng(0)


def rarity(X):
    return Rarity.trained_on(Training(X, False, 0, torch.device("cpu"), TableSchema(X.shape[1])))


def test_a_score_is_the_sum_of_the_logs_of_shares():
    X = RNG.integers(0, 4, size=(200, 3)).astype(float) ** 2
    share = (X[:, None] == X[None]).mean(0)
    expected = -np.log((share * 200 + PRIOR) / (200 + PRIOR)).sum(1)
    np.testing.assert_allclose(rarity(X).score(X), expected, rtol=1e-5)


def test_only_columns_whose_values_recur_count():
    X = np.column_stack([RNG.normal(size=300), RNG.integers(0, 3, size=300)])
    scorer = rarity(X)
    assert scorer.recurs.tolist() == [False, True]
    moved = X + np.array([5.0, 0.0])
    np.testing.assert_array_equal(scorer.score(X), scorer.score(moved))
    assert (scorer.errors(X)[:, 0] == 0).all()


def test_a_code_between_two_common_ones_is_as_odd_as_one_far_off():
    X = RNG.choice([1.0, 3.0], size=(300, 1))
    between, far, common = rarity(X).score(np.array([[2.0], [90.0], [3.0]]))
    assert between == far > common + 5


def test_numbers_that_never_recur_score_alike():
    X = RNG.normal(size=(50, 2))
    assert np.ptp(rarity(X).score(X)) == 0
