import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Generator

from isthmus import Bernoulli, Categorical, Gaussian, Masking, Mixed, Poisson, StudentT
from isthmus.core.readout import RIDGES, TrainedRows, best_linear, fit, mean_line, rows_as_trained, spread_of
from isthmus.parts.composition import compose

ROWS, RANK = 300, 2
RIDGE = RIDGES[-1]


@pytest.fixture
def coordinates():
    drawn = torch.randn(ROWS, RANK, dtype=torch.float64, generator=Generator().manual_seed(0))
    return (drawn - drawn.mean(0)) * torch.tensor([3.0, 0.1], dtype=torch.float64)


def rows_of(x, weight=None, cells=None):
    return TrainedRows(x, x, weight, cells, torch.arange(len(x)) % 4 == 3)


def fitted(likelihood, coordinates, rows, ridge=RIDGE):
    """Return the line of one ridge for all columns, in the coordinates' own units."""
    spread = spread_of(coordinates)
    first = mean_line(likelihood.eval(), rows, coordinates.shape[1])
    line = fit(likelihood, coordinates / spread, rows, torch.full_like(first.bias, ridge), first, least_gain=1e-12)
    return line.matrix / spread, line.bias


def loss(likelihood, coordinates, x, slopes, bias):
    spread = coordinates.square().mean(0).sqrt()
    return likelihood.loss(x, coordinates @ slopes.T + bias).mean() + RIDGE * (slopes * spread).square().sum()


def drawn(part, coordinates, outputs):
    slopes = torch.randn(outputs, RANK, dtype=torch.float64, generator=Generator().manual_seed(1))
    slopes = slopes / coordinates.square().mean(0).sqrt()
    likelihood = part.build(outputs).double().eval()
    return likelihood, likelihood.sample(coordinates @ slopes.T + 0.3, Generator().manual_seed(2))


@pytest.mark.parametrize("ridge", RIDGES)
def test_a_gaussian_is_ridge_regression(coordinates, ridge):
    likelihood, x = drawn(Gaussian(1.0), coordinates, 3)
    slopes, bias = fitted(likelihood, coordinates, rows_of(x), ridge)
    spread = coordinates.square().mean(0).sqrt()
    standard = coordinates / spread
    # ½ mean of squares + ridge: (S/n + 2 ridge) a = S_xy/n, of centred columns.
    gram = standard.T @ standard / ROWS + 2 * ridge * torch.eye(RANK, dtype=torch.float64)
    expected = torch.linalg.solve(gram, standard.T @ (x - x.mean(0)) / ROWS).T / spread
    torch.testing.assert_close(slopes, expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(bias, x.mean(0), rtol=1e-3, atol=1e-4)


def test_a_bernoulli_is_logistic_regression(coordinates):
    likelihood, x = drawn(Bernoulli(), coordinates, 1)
    slopes, bias = fitted(likelihood, coordinates, rows_of(x))
    spread = coordinates.square().mean(0).sqrt().numpy()
    # Scikit-learn's objective is Σ log-loss + ‖a‖²/2C.
    known = LogisticRegression(C=1 / (2 * RIDGE * ROWS), tol=1e-8).fit(coordinates.numpy() / spread, x[:, 0].numpy())
    np.testing.assert_allclose(slopes.numpy() * spread, known.coef_, rtol=1e-3)
    np.testing.assert_allclose(bias.numpy(), known.intercept_, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("part", [Poisson(), Categorical((3,)), Bernoulli()], ids=str)
def test_no_other_line_is_better(part, coordinates):
    likelihood, x = drawn(part, coordinates, 3)
    slopes, bias = fitted(likelihood, coordinates, rows_of(x))
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
    one, bias = fitted(likelihood, scaled, rows_of(x, weight.double()))
    other, other_bias = fitted(likelihood, again, rows_of(x.repeat_interleave(weight, 0)))
    torch.testing.assert_close(one * factor, other, rtol=0.02, atol=0.02)
    torch.testing.assert_close(bias, other_bias, rtol=0.02, atol=0.02)


def test_gaps_and_empty_coordinates(coordinates):
    x = torch.cat([coordinates[:, :1], (coordinates[:, :1] > 0).double()], 1)
    x[::7, 0] = torch.nan
    likelihood = Mixed((Gaussian("columns"), Bernoulli()), (1, 1)).build(2).double()
    likelihood.look(x)
    empty = torch.cat([coordinates, torch.zeros(ROWS, 1, dtype=torch.float64)], 1)
    slopes, bias = best_linear(likelihood, empty, rows_of(x))
    assert torch.isfinite(slopes).all()
    assert torch.isfinite(bias).all()
    assert (slopes[:, 2] == 0).all()
    assert float(slopes[0, 0]) == pytest.approx(1, rel=0.05)
    assert float(slopes[1, 0]) > 0


# -- rows that were not seen -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [Gaussian(1.0), StudentT(scale=1.0), Bernoulli(), Poisson(), Categorical((2, 2))])
def test_noise_is_not_learned(part):
    generator = Generator().manual_seed(0)
    coordinates = torch.randn(80, 40, dtype=torch.float64, generator=generator)
    likelihood = part.build(4).double().eval()
    x = likelihood.sample(torch.zeros(80, likelihood.outputs, dtype=torch.float64), generator)
    slopes, bias = best_linear(likelihood, coordinates, rows_of(x))
    new = likelihood.sample(torch.zeros(5000, likelihood.outputs, dtype=torch.float64), generator)
    line = torch.randn(5000, 40, dtype=torch.float64, generator=generator) @ slopes.T + bias
    of_mean = likelihood.columns(new, mean_line(likelihood, rows_of(x), 40).bias.expand(5000, -1)).mean()
    assert likelihood.columns(new, line).mean() < of_mean + 0.05


def test_each_column_has_its_own_ridge():
    generator = Generator().manual_seed(0)
    coordinates = torch.randn(80, 20, dtype=torch.float64, generator=generator)
    noise = torch.randn(80, dtype=torch.float64, generator=generator)
    x = torch.stack([coordinates.sum(1), noise], 1)
    likelihood = Gaussian(1.0).build(2).double()
    slopes, bias = best_linear(likelihood, coordinates, rows_of(x))
    torch.testing.assert_close(slopes[0], torch.ones(20, dtype=torch.float64), rtol=0, atol=0.05)
    assert slopes[1].abs().max() < 0.1
    assert float(bias[1]) == pytest.approx(float(noise.mean()), abs=0.1)


def test_hidden_cells_are_regressed_on_what_is_seen():
    """Of two equal columns the one that is hidden is the other one."""
    generator = Generator().manual_seed(0)
    x = torch.randn(500, 1, dtype=torch.float64, generator=generator).expand(-1, 2).contiguous()
    likelihood = Mixed((Gaussian("columns"),), (2,))
    network = compose(2, 2, likelihood=likelihood, corruption=Masking(0.3, value=None, score="hidden")).double()
    network.likelihood.look(x)
    rows = rows_as_trained(network, x)
    assert len(rows.seen) >= 2048
    assert torch.equal(rows.target[: len(x)], x)
    assert torch.equal(rows.cells > 0, rows.seen.isnan())
    assert torch.equal(rows.held_out[: len(x)], rows.held_out[-len(x) :])
    seen = network.likelihood.encoder_input(rows.seen)[:, :2]
    slopes, _ = best_linear(network.likelihood, seen, rows)
    # x₂ = a·seen₁ where x₂ is hidden; seen₂ is then 0 and its slope means nothing.
    assert float(slopes[1, 0] * network.likelihood.gain[0]) == pytest.approx(1, rel=0.02)
