import numpy as np
import pytest

from isthmus.tasks.anomaly.probabilities import decreasing_density, posterior


def mixed(share, n=4000, seed=0, away=3.0):
    rng = np.random.default_rng(seed)
    odd = rng.uniform(size=n) < share
    return rng.normal(size=n) + away * odd, odd


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3])
def test_it_never_falls_with_the_score(share):
    scores, _ = mixed(share)
    found = posterior(np.linspace(-5, 50, 500), scores, share)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= -1e-12).all()
    assert found[-1] == pytest.approx(1)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_it_is_the_share_of_anomalies_among_rows_like_these(share):
    scores, odd = mixed(share)
    found = posterior(scores, scores, share)
    assert found.mean() == pytest.approx(odd.mean(), abs=0.05)
    sure, unsure = found > 0.8, (found > 0.2) & (found < 0.8)
    assert odd[sure].mean() == pytest.approx(found[sure].mean(), abs=0.1)
    assert odd[~sure & ~unsure].mean() < odd[unsure].mean() < odd[sure].mean()


def test_normal_rows_alone_are_hardly_ever_anomalies():
    scores, _ = mixed(0.0)
    new, _ = mixed(0.0, seed=1)
    assert (posterior(new, scores, 0.0) > 0.5).mean() < 0.005
    assert posterior(np.array([12.0]), scores, 0.0)[0] > 0.99


def test_the_density_falls_and_holds_everything():
    shares = np.random.default_rng(0).beta(0.5, 1, size=300)
    ends, heights = decreasing_density(shares)
    assert (np.diff(heights) < 0).all()
    assert (np.diff(ends) > 0).all()
    assert (np.diff(np.r_[0.0, ends]) * heights).sum() == pytest.approx(1)
    ends, heights = decreasing_density(np.arange(1, 401) / 400)
    assert heights.max() == pytest.approx(1, abs=0.05)


def test_scores_that_are_the_same():
    assert posterior(np.array([1.0, 2.0]), np.ones(10), 0.1).tolist() == [0.0, 0.1]
