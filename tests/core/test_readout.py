import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Generator

from isthmus import Bernoulli, Categorical, Gaussian, Mixed, Poisson
from isthmus.core.readout import RIDGE, best_linear

ROWS, RANK = 300, 2


@pytest.fixture
def coordinates():
    drawn = torch.randn(ROWS, RANK, dtype=torch.float64, generator=Generator().manual_seed(0))
    return (drawn - drawn.mean(0)) * torch.tensor([3.0, 0.1], dtype=torch.float64)


def loss(likelihood, coordinates, x, slopes, bias):
    spread = coordinates.square().mean(0).sqrt()
    return likelihood.loss(x, coordinates @ slopes.T + bias).mean() + RIDGE * (slopes * spread).square().sum()


def drawn(part, coordinates, outputs):
    slopes = torch.randn(outputs, RANK, dtype=torch.float64, generator=Generator().manual_seed(1))
    slopes = slopes / coordinates.square().mean(0).sqrt()
    likelihood = part.build(outputs).double().eval()
    return likelihood, likelihood.sample(coordinates @ slopes.T + 0.3, Generator().manual_seed(2))


def test_a_gaussian_is_ridge_regression(coordinates):
    likelihood, x = drawn(Gaussian(1.0), coordinates, 3)
    slopes, bias = best_linear(likelihood, coordinates, x)
    spread = coordinates.square().mean(0).sqrt()
    standard = coordinates / spread
    # ½ mean of squares + ridge: (S/n + 2 ridge) a = S_xy/n, of centred columns.
    gram = standard.T @ standard / ROWS + 2 * RIDGE * torch.eye(RANK, dtype=torch.float64)
    expected = torch.linalg.solve(gram, standard.T @ (x - x.mean(0)) / ROWS).T / spread
    torch.testing.assert_close(slopes, expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(bias, x.mean(0), rtol=1e-3, atol=1e-4)


def test_a_bernoulli_is_logistic_regression(coordinates):
    likelihood, x = drawn(Bernoulli(), coordinates, 1)
    slopes, bias = best_linear(likelihood, coordinates, x)
    spread = coordinates.square().mean(0).sqrt().numpy()
    # Scikit-learn's objective is Σ log-loss + ‖a‖²/2C.
    known = LogisticRegression(C=1 / (2 * RIDGE * ROWS), tol=1e-8).fit(coordinates.numpy() / spread, x[:, 0].numpy())
    np.testing.assert_allclose(slopes.numpy() * spread, known.coef_, rtol=1e-3)
    np.testing.assert_allclose(bias.numpy(), known.intercept_, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("part", [Poisson(), Categorical((3,)), Bernoulli()], ids=str)
def test_no_other_line_is_better(part, coordinates):
    likelihood, x = drawn(part, coordinates, 3)
    slopes, bias = best_linear(likelihood, coordinates, x)
    best = loss(likelihood, coordinates, x, slopes, bias)
    generator = Generator().manual_seed(3)
    for size in (0.01, 0.1, 1.0):
        moved = slopes + size * torch.randn(slopes.shape, dtype=torch.float64, generator=generator)
        assert loss(likelihood, coordinates, x, moved, bias) > best - 1e-5
        assert loss(likelihood, coordinates, x, slopes, bias + size) > best - 1e-5


def test_weights_are_rows_more_often(coordinates):
    likelihood, x = drawn(Bernoulli(), coordinates, 2)
    weight = torch.randint(1, 4, (ROWS,), generator=Generator().manual_seed(4))
    # Coordinates of the same spread, whatever the weights.
    scaled = coordinates / coordinates.square().mean(0).sqrt()
    repeated = scaled.repeat_interleave(weight, 0)
    again = repeated / repeated.square().mean(0).sqrt()
    factor = repeated.square().mean(0).sqrt()
    one, bias = best_linear(likelihood, scaled, x, weight.double())
    other, other_bias = best_linear(likelihood, again, x.repeat_interleave(weight, 0))
    torch.testing.assert_close(one * factor, other, rtol=0.02, atol=0.02)
    torch.testing.assert_close(bias, other_bias, rtol=0.02, atol=0.02)


def test_gaps_and_empty_coordinates(coordinates):
    x = torch.cat([coordinates[:, :1], (coordinates[:, :1] > 0).double()], 1)
    x[::7, 0] = torch.nan
    likelihood = Mixed((Gaussian("columns"), Bernoulli()), (1, 1)).build(2).double()
    likelihood.look(x)
    empty = torch.cat([coordinates, torch.zeros(ROWS, 1, dtype=torch.float64)], 1)
    slopes, bias = best_linear(likelihood, empty, x)
    assert torch.isfinite(slopes).all()
    assert torch.isfinite(bias).all()
    assert (slopes[:, 2] == 0).all()
    assert float(slopes[0, 0]) == pytest.approx(1, rel=0.05)
    assert float(slopes[1, 0]) > 0
