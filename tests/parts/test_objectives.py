import math

import pytest
import torch
from torch import Generator
from torch.distributions import MultivariateNormal

from isthmus import KL, Gaussian, ImportanceWeighted
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose

F, K, B = 4, 2, 3


def network_of(samples, estimator="dreg"):
    """A linear-Gaussian model, whose likelihood has a closed form; its posterior is not the exact one."""
    objective = ImportanceWeighted(samples, estimator)
    network = compose(F, K, encoder="linear", code="gaussian", likelihood=Gaussian(0.5), objective=objective).double()
    initialise(network, "torch", Generator().manual_seed(0))
    network.seed(Generator().manual_seed(1))
    return network.train()


def x():
    return torch.randn(B, F, dtype=torch.float64, generator=Generator().manual_seed(2))


def log_likelihood(network):
    weight, bias = network.decoder.weights[0], network.decoder.biases[0]
    covariance = weight @ weight.T + 0.5 * torch.eye(F, dtype=torch.float64)
    return MultivariateNormal(bias, covariance).log_prob(x())


@pytest.mark.parametrize("estimator", ["dreg", "iwae"])
def test_bound_rises_to_the_likelihood(estimator):
    exact = log_likelihood(network_of(1)).detach()
    gaps = []
    for samples in (1, 10, 3000):
        network = network_of(samples, estimator)
        draws = torch.stack([-network.terms(x())["bound"].detach() for _ in range(60)]).mean(0)
        gaps.append(float((exact - draws).mean()))
    assert gaps[0] > gaps[1] > abs(gaps[2])
    assert abs(gaps[2]) < 0.02


def test_one_sample_is_the_evidence_bound():
    network = network_of(1)
    bounds = torch.stack([network.terms(x())["bound"].detach() for _ in range(4000)])
    elbo = compose(F, K, encoder="linear", code="gaussian", likelihood=Gaussian(0.5), penalty=KL()).double()
    elbo.load_state_dict(network.state_dict())
    elbo.train().seed(Generator().manual_seed(3))
    terms = torch.stack([sum(elbo.terms(x()).values()).detach() for _ in range(4000)])
    error = math.sqrt(float(bounds.var() + terms.var()) / 4000)
    assert bool(((bounds.mean(0) - terms.mean(0)).abs() < 5 * error).all())


def test_doubly_reparameterised_gradient_is_the_bounds_own_on_average():
    slopes = {}
    for estimator in ("dreg", "iwae"):
        network = network_of(4, estimator)
        runs = []
        for _ in range(3000):
            network.zero_grad()
            network.terms(x())["bound"].sum().backward()
            runs.append(torch.cat([parameter.grad.flatten() for parameter in network.parameters()]))
        slopes[estimator] = torch.stack(runs)
    difference = slopes["dreg"].mean(0) - slopes["iwae"].mean(0)
    error = ((slopes["dreg"].var(0) + slopes["iwae"].var(0)) / 3000).sqrt()
    assert bool((difference.abs() < 5 * error + 1e-9).all())
    encoder = slice(0, sum(p.numel() for p in network.encoder.parameters()))
    assert slopes["dreg"].var(0)[encoder].mean() < slopes["iwae"].var(0)[encoder].mean()


def test_a_second_kl_fails_before_training():
    with pytest.raises(ValueError, match="ImportanceWeighted contains the penalty KL already: take penalty=None"):
        compose(F, K, code="gaussian", penalty="kl", objective="importance_weighted")


def test_a_code_without_a_posterior_fails_before_training():
    with pytest.raises(ValueError, match="objective ImportanceWeighted needs a code with a posterior"):
        compose(F, K, objective="importance_weighted")


@pytest.mark.parametrize("part", [ImportanceWeighted(0), ImportanceWeighted(3, "x")])
def test_parameters_that_cannot_be(part):
    with pytest.raises(ValueError, match="ImportanceWeighted"):
        part.build(F, K)
