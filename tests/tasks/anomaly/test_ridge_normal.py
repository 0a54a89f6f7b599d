import numpy as np
import pytest
import torch

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly import ridge_normal
from isthmus.tasks.anomaly.ridge_normal import RidgeNormal

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("ridge", [0.1, 1e-3])
def test_distances_are_those_by_the_inverse(ridge):
    x = torch.from_numpy(RNG.normal(size=(100, 4)) @ RNG.normal(size=(4, 4)))
    normal = RidgeNormal.of(x, ridge).eval()
    precision = torch.linalg.inv(torch.cov(x.T, correction=0) + ridge * torch.eye(4))
    centred = x - x.mean(0)
    torch.testing.assert_close(normal.distances(x), torch.einsum("ij,jk,ik->i", centred, precision, centred))
    torch.testing.assert_close(normal.diagonal(), precision.diagonal())


@pytest.mark.parametrize("ridge", [0.1, 1e-3])
def test_the_low_rank_form_is_the_same(ridge, monkeypatch):
    x, new = torch.from_numpy(RNG.normal(size=(20, 60))), torch.from_numpy(RNG.normal(size=(7, 60)))
    dense = RidgeNormal.of(x, ridge).eval()
    monkeypatch.setattr(ridge_normal, "DENSE", 0)
    low = RidgeNormal.of(x, ridge).eval()
    assert low.factor.shape == (60, 19)
    torch.testing.assert_close(low.distances(new), dense.distances(new))
    torch.testing.assert_close(low.deviations(new)[1], dense.deviations(new)[1])
    torch.testing.assert_close(low.diagonal(), dense.diagonal())
    block = torch.tensor([3, 5, 40])
    torch.testing.assert_close(low.within(block), dense.within(block))
    again = RidgeNormal.from_weights(low.state_dict(), "").eval()
    assert torch.equal(again.distances(new), low.distances(new))


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
def test_tables_of_far_more_columns_than_rows_are_taken(setting):
    X = RNG.normal(size=(30, 3000)).astype(np.float32)
    X[0] += 3
    detector = AnomalyDetector(setting, "mahalanobis", random_state=0).fit(X[1:] if setting == "clean" else X)
    assert -detector.score_samples(X[:1])[0] > -detector.score_samples(RNG.normal(size=(5, 3000))).max()
