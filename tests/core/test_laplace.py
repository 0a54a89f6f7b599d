"""log p(x) of decoders: exact for linear ones, and a density that integrates to 1 for others."""

import math

import pytest
import torch
from torch import Generator
from torch.distributions import MultivariateNormal

from isthmus.core.laplace import importance_weighted, jacobian, mode, precision_factor

NOISE = torch.tensor([0.5, 0.1, 2.0], dtype=torch.float64)


def uniform(samples, size, seed=0):
    return torch.rand(samples, size, generator=Generator().manual_seed(seed), dtype=torch.float64)


def log_densities(decoder, x, u, samples, seed=0):
    """log p(x) by the three steps, from codes u to begin with."""

    def log_joint(u):
        squares = (x - decoder(u)).square() / NOISE + torch.log(2 * math.pi * NOISE)
        return -0.5 * squares.sum(1) - 0.5 * u.square().sum(1)

    _, derivatives = jacobian(decoder, u)
    factor = precision_factor(derivatives, NOISE.expand_as(x))
    return importance_weighted(log_joint, mode(log_joint, u, factor), factor, uniform(samples, u.shape[1], seed))


def test_derivatives_are_those_of_autograd():
    weight = torch.randn(3, 2, generator=Generator().manual_seed(0), dtype=torch.float64)
    u = torch.randn(5, 2, generator=Generator().manual_seed(1), dtype=torch.float64)

    def function(u):
        return torch.tanh(u @ weight.T)

    value, found = jacobian(function, u)
    torch.testing.assert_close(value, function(u))
    for row, derivatives in zip(u, found, strict=True):
        exact = torch.autograd.functional.jacobian(lambda r: function(r[None])[0], row)
        torch.testing.assert_close(derivatives, exact.T)


@pytest.mark.parametrize("samples", [1, 7])
@pytest.mark.parametrize("away", [0.0, 3.0])
def test_linear_decoders_are_exact_wherever_the_search_begins(samples, away):
    generator = Generator().manual_seed(0)
    weight = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    x = 2 * torch.randn(20, 3, generator=generator, dtype=torch.float64)
    u = away * torch.randn(20, 2, generator=generator, dtype=torch.float64)
    exact = MultivariateNormal(torch.zeros(3).double(), weight @ weight.T + torch.diag(NOISE)).log_prob(x)
    torch.testing.assert_close(log_densities(lambda u: u @ weight.T, x, u, samples), exact)


def test_a_bent_decoder_has_a_density_that_integrates_to_one():
    """One code, three columns, the third of which nothing depends on: a sum over a grid of the first two."""
    side = torch.linspace(-8, 8, 121, dtype=torch.float64)
    first, second = torch.meshgrid(side, side, indexing="ij")
    x = torch.stack([first.ravel(), second.ravel(), torch.zeros(121**2).double()], 1)

    def decoder(u):
        return torch.cat([2 * u, torch.sin(2 * u), 0 * u], 1)

    density = torch.exp(log_densities(decoder, x, x[:, :1] / 2, 64))
    alone = torch.exp(torch.tensor(-0.5 * math.log(2 * math.pi * 2.0)).double())
    assert float(density.sum() * (side[1] - side[0]) ** 2 / alone) == pytest.approx(1, abs=0.02)


def test_cells_that_say_nothing_leave_the_prior():
    factor = precision_factor(torch.ones(1, 2, 3), torch.full((1, 3), torch.inf))
    torch.testing.assert_close(factor, torch.eye(2).double()[None])
