import pytest
import torch
from torch import Generator

from isthmus import Bernoulli, Categorical, Gaussian, Mixed, NegativeBinomial
from isthmus.core.weighted_deviance import weighted_deviance

B, F = 5, 6


def given():
    likelihood = Mixed((Gaussian("columns"), Bernoulli(), Categorical((3,)), NegativeBinomial()), (1, 1, 3, 1)).build(F)
    generator = Generator().manual_seed(0)
    x = torch.eye(3, dtype=torch.float64).repeat(2, 2)[:B]
    x[1, 0] = x[2, 5] = torch.nan
    theta = torch.randn(B, likelihood.outputs, dtype=torch.float64, generator=generator, requires_grad=True)
    return likelihood.double(), x, theta, torch.rand(B, F, dtype=torch.float64, generator=generator)


def test_value_and_gradient_are_those_of_autograd():
    likelihood, x, theta, weight = given()
    found = weighted_deviance(likelihood, x, theta, weight)
    expected = (likelihood.deviance_loss(x, theta) * weight).sum(1)
    torch.testing.assert_close(found, expected)
    slope = torch.arange(1.0, B + 1, dtype=torch.float64)
    gradients = [torch.autograd.grad(losses, theta, slope)[0] for losses in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_a_second_derivative_is_refused():
    likelihood, x, theta, weight = given()
    losses = weighted_deviance(likelihood, x, theta, weight)
    (gradient,) = torch.autograd.grad(losses.square().sum(), theta, create_graph=True)
    with pytest.raises(RuntimeError, match="used in the graph"):
        torch.autograd.grad(gradient.sum(), theta)


def test_other_devices_take_autograd():
    likelihood, x, theta, weight = (of.to("meta") for of in given())
    assert weighted_deviance(likelihood, x, theta, weight).device.type == "meta"
