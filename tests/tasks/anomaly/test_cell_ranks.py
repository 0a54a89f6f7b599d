import numpy as np
import torch
from scipy.stats import norm, rankdata

from isthmus.tasks.anomaly.cell_ranks import MOST, CellRanks

RNG = np.random.default_rng(0)


def test_counts_are_those_of_a_comparison_with_every_row():
    x = torch.from_numpy(RNG.integers(0, 6, size=(40, 3)).astype(np.float32))
    rows = torch.cat([x[:5], torch.full((1, 3), -1.0), torch.full((1, 3), 9.0), torch.full((1, 3), 2.5)])
    below, up_to = CellRanks.of(x).counts(rows)
    assert torch.equal(below, (x[None] < rows[:, None]).float().sum(1))
    assert torch.equal(up_to, (x[None] <= rows[:, None]).float().sum(1))


def test_normal_scores_are_the_quantiles_of_mid_ranks():
    x = RNG.integers(0, 9, size=(60, 2)).astype(np.float32)
    scores = CellRanks.of(torch.from_numpy(x)).normal_scores(torch.from_numpy(x))
    np.testing.assert_allclose(scores, norm.ppf((rankdata(x, axis=0) - 0.5) / 60), atol=1e-5)


def test_normal_scores_do_not_depend_on_how_a_column_is_measured():
    x = torch.from_numpy(RNG.normal(size=(100, 2)).astype(np.float32))
    np.testing.assert_array_equal(CellRanks.of(x).normal_scores(x), CellRanks.of(x.exp()).normal_scores(x.exp()))


def test_the_farther_of_two_values_outside_stays_farther():
    ranks = CellRanks.of(torch.linspace(-1, 1, 21)[:, None])
    scores = ranks.normal_scores(torch.tensor([[-9.0], [-2.0], [-1.0], [1.0], [2.0], [9.0]]))[:, 0]
    assert (scores.diff() > 0).all()
    torch.testing.assert_close(scores, -scores.flip(0))


def test_the_chance_of_a_new_value_is_the_share_of_those_seen_once():
    x = torch.tensor([[1.0, 1.0, 0.1], [1.0, 2.0, 0.2], [2.0, 2.0, 0.3], [2.0, 3.0, 0.4]])
    torch.testing.assert_close(CellRanks.of(x).new_value_chances(), torch.tensor([0.0, 0.5, 1.0]))


def test_few_rows_are_kept_of_many():
    assert CellRanks.of(torch.zeros(MOST + 1, 2)).rows == MOST
