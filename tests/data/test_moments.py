import numpy as np
import pytest
import torch

from isthmus.data.moments import RunningMoments
from isthmus.data.rows import Rows

X = np.random.default_rng(0).normal(1e6, 2, (500, 4)).round(2)
X[:, 1] = np.arange(500)
WEIGHT = np.random.default_rng(1).uniform(0.1, 3, 500)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("size", [1, 7, 500])
def test_blocks_give_what_the_whole_gives(weight, size):
    running = RunningMoments(4)
    for start in range(0, 500, size):
        some = None if weight is None else torch.from_numpy(weight[start : start + size])
        running.add(torch.from_numpy(X[start : start + size]), some)
    assert_same(running.summary, Rows(X, weight, dtype=torch.float64).summary())


def test_joined_and_restored():
    one, other = RunningMoments(4), RunningMoments(4)
    one.add(torch.from_numpy(X[:100]))
    other.add(torch.from_numpy(X[100:]))
    one = RunningMoments.from_state(one.state)
    one.join(RunningMoments.of(other.summary, other.total))
    assert one.total == 500
    assert_same(one.summary, Rows(X).summary())


def test_no_rows_change_nothing():
    running = RunningMoments(4)
    running.add(torch.from_numpy(X))
    before = running.summary
    running.add(torch.empty(0, 4, dtype=torch.float64))
    assert_same(running.summary, before)
