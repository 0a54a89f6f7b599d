import copy

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import AutoEncoder
from isthmus.core.initialisation import initialise
from isthmus.core.modules import ACTIVATIONS
from isthmus.engine import written_out
from isthmus.parts import KL, Bernoulli, Dense, Deterministic, Gaussian, GaussianNoise, Masking, compose

F, K, B = 9, 3, 7


def x(dtype=torch.float64):
    return torch.rand(B, F, dtype=dtype, generator=Generator().manual_seed(0))


def network_of(encoder=None, code=None, likelihood=None, dtype=torch.float64, **parts):
    network = compose(
        F,
        K,
        encoder=encoder or Dense((6,), "silu"),
        code=code or Deterministic(),
        likelihood=likelihood or Gaussian(),
        **parts,
    ).to(dtype)
    initialise(network, "torch", Generator().manual_seed(1))
    network.seed(Generator().manual_seed(2))
    return network.train()


def by_autograd(network, rows):
    network = copy.deepcopy(network)
    network.seed(Generator().manual_seed(2))
    loss = network.terms(rows)["nll"].mean()
    loss.backward()
    return loss, network


def assert_same(network, rows, **tolerance):
    loss, other = by_autograd(network, rows)
    step = written_out.of(network, "float32", weighted=False)
    torch.testing.assert_close(step.step(rows), loss.detach(), **tolerance)
    for slope, parameter in zip(step.slopes, [*parameters(other)], strict=True):
        torch.testing.assert_close(slope, parameter.grad, **tolerance)
    return step, other


def parameters(network):
    for stack in (network.encoder, network.decoder):
        for weight, bias in zip(stack.weights, stack.biases, strict=True):
            yield from (weight, bias)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_layers_and_codes_of_every_activation(activation):
    assert_same(network_of(Dense((6, 5), activation), Deterministic(activation)), x())


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        Gaussian(0.5),
        *(Gaussian(activation=name) for name in ("identity", "sigmoid", "relu")),
        Gaussian(0.1, "tanh"),
    ],
)
@pytest.mark.parametrize("encoder", [Dense((6,)), Dense(()), "linear"])
def test_every_likelihood(likelihood, encoder):
    network = network_of(encoder, likelihood=likelihood)
    step, other = assert_same(network, x())
    if isinstance(likelihood, Gaussian):
        torch.testing.assert_close(step.network.likelihood.variance, other.likelihood.variance)


def test_corrupted_rows_are_seen_and_clean_ones_asked_for():
    assert_same(network_of(corruption=GaussianNoise(0.3)), x())


def test_products_in_half_precision_are_near():
    network = network_of(dtype=torch.float32, likelihood=Gaussian(0.5))
    rows = x(torch.float32)
    _, other = by_autograd(network, rows)
    step = written_out.of(network, "bfloat16", weighted=False)
    step.step(rows)
    expected = torch.cat([parameter.grad.flatten() for parameter in parameters(other)])
    found = torch.cat([slope.float().flatten() for slope in step.slopes])
    assert (found - expected).norm() < 0.02 * expected.norm()
    assert step.slope.dtype == torch.float32


def test_weights_are_parts_of_the_vector_until_they_are_released():
    network = network_of()
    before = copy.deepcopy(network.state_dict())
    step = written_out.of(network, "float32", weighted=False)
    step.flat.add_(1)
    after = network.state_dict()
    for name, _ in network.named_parameters():
        torch.testing.assert_close(after[name], before[name] + 1)
    step.release()
    step.flat.zero_()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.data, before[name] + 1)
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 8


@pytest.mark.parametrize(
    "parts",
    [
        {"encoder": Dense((6,), dropout=0.1)},
        {"encoder": Dense((6,), norm="layer")},
        {"decoder": "tied"},
        {"penalty": "l1"},
        {"code": "gaussian", "penalty": KL()},
        {"likelihood": Gaussian("learned")},
        {"likelihood": "poisson"},
        {"corruption": Masking(0.5, score="hidden")},
        {"corruption": Masking(0.5, mark=True, score="all")},
    ],
)
def test_what_is_left_to_autograd(parts):
    assert not written_out.suits(network_of(**parts))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_training_goes_the_same_way(monkeypatch, precision):
    X = (load_digits().data / 16).astype(np.float32)[:600]
    settings = {"latent": 5, "epochs": 4, "precision": precision, "threads": 1, "random_state": 0}
    found = [AutoEncoder(**settings).fit(X)]
    monkeypatch.setattr(written_out, "suits", lambda network: False)
    found.append(AutoEncoder(**settings).fit(X))
    losses = [model.history_["val_loss"] for model in found]
    np.testing.assert_allclose(*losses, rtol=1e-7 if precision == "float64" else 1e-3)
    assert found[0].history_.columns == found[1].history_.columns
