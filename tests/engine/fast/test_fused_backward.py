import copy

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import (
    KL,
    AutoEncoder,
    Bernoulli,
    Compute,
    Dense,
    Deterministic,
    Gaussian,
    GaussianNoise,
    Masking,
    Multinomial,
    Poisson,
)
from isthmus.core.initialisation import initialise
from isthmus.core.modules import ACTIVATIONS
from isthmus.engine.fast import fused_backward
from isthmus.parts.composition import compose

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


def assert_same(network, rows, maker="torch", **tolerance):
    loss, other = by_autograd(network, rows)
    step = fused_backward.of(network, "float32", weighted=False, maker=maker)
    figures = step.step(rows)[None]
    step.follow(figures)
    torch.testing.assert_close(step.losses(figures)[0], loss.detach(), check_dtype=False, **tolerance)
    for slope, parameter in zip(step.parts(step.slope), [*parameters(other)], strict=True):
        torch.testing.assert_close(slope, parameter.grad, **tolerance)
    return step, other


def parameters(network):
    for stack in (network.encoder, network.decoder):
        for weight, bias in zip(stack.weights, stack.biases, strict=True):
            yield from (weight, bias)


@pytest.mark.parametrize("maker", ["torch", "numpy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_layers_and_codes_of_every_activation(activation, maker):
    assert_same(network_of(Dense((6, 5), activation), Deterministic(activation)), x(), maker)


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        Gaussian(0.5),
        *(Gaussian(activation=name) for name in ("identity", "sigmoid", "relu", "softplus")),
        Gaussian(0.1, "tanh"),
    ],
)
@pytest.mark.parametrize("encoder", [Dense((6,)), Dense(()), "linear"])
def test_every_likelihood(likelihood, encoder):
    network = network_of(encoder, likelihood=likelihood)
    step, other = assert_same(network, x())
    if isinstance(likelihood, Gaussian):
        torch.testing.assert_close(step.network.likelihood.variance, other.likelihood.variance)


@pytest.mark.parametrize("maker", ["torch", "numpy"])
@pytest.mark.parametrize("stretch", [1.0, 100.0])
@pytest.mark.parametrize("likelihood", [Poisson(), Multinomial()])
def test_likelihoods_of_counts(likelihood, stretch, maker):
    network = network_of(likelihood=likelihood)
    with torch.no_grad():  # far enough that a rate is held at its bounds
        network.decoder.biases[-1].mul_(stretch)
    rows = torch.poisson(3 * x(), generator=Generator().manual_seed(3))
    rows[2] = 0
    assert_same(network, rows, maker)


def test_corrupted_rows_are_seen_and_clean_ones_asked_for():
    assert_same(network_of(corruption=GaussianNoise(0.3)), x())


def test_products_in_half_precision_are_near():
    network = network_of(dtype=torch.float32, likelihood=Gaussian(0.5))
    rows = x(torch.float32)
    _, other = by_autograd(network, rows)
    step = fused_backward.of(network, "bfloat16", weighted=False)
    step.step(rows)
    expected = torch.cat([parameter.grad.flatten() for parameter in parameters(other)])
    found = torch.cat([slope.flatten() for slope in step.parts(step.slope)])
    assert (found - expected).norm() < 0.02 * expected.norm()
    assert step.slope.dtype == torch.float32


def test_weights_are_parts_of_the_vector_until_they_are_released():
    network = network_of()
    before = copy.deepcopy(network.state_dict())
    step = fused_backward.of(network, "float32", weighted=False)
    step.flat.add_(1)
    after = network.state_dict()
    for name, _ in network.named_parameters():
        torch.testing.assert_close(after[name], before[name] + 1)
    step.release()
    step.flat.zero_()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.data, before[name] + 1)
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 8


def test_precision_can_change_from_step_to_step():
    network = network_of(dtype=torch.float32)
    step = fused_backward.of(network, "float32", weighted=False)
    gradients = []
    for halved in (False, True, False, True):
        step.halve(halved)
        step.step(x(torch.float32))
        gradients.append(step.slope.clone())
    assert torch.equal(gradients[0], gradients[2])
    assert torch.equal(gradients[1], gradients[3])
    assert not torch.equal(gradients[0], gradients[1])


def test_batches_of_many_sizes():
    network = network_of()
    step = fused_backward.of(network, "float32", weighted=False)
    rows = x()
    for size in (7, 1, 5, 7, 2):
        step.step(rows[:size])
        _, other = by_autograd(network, rows[:size])
        for slope, parameter in zip(step.parts(step.slope), [*parameters(other)], strict=True):
            torch.testing.assert_close(slope, parameter.grad)


def test_an_optimal_variance_follows_as_in_batch_after_batch():
    network = network_of()
    twin = copy.deepcopy(network)
    step = fused_backward.of(network, "float32", weighted=False)
    batches = x().split(2)
    step.follow(torch.stack([step.step(batch) for batch in batches]))
    for batch in batches:
        twin.terms(batch)
    torch.testing.assert_close(network.likelihood.variance, twin.likelihood.variance)


@pytest.mark.parametrize(
    ("activation", "likelihood"),
    [("silu", Gaussian()), ("gelu", Gaussian(activation="sigmoid")), ("tanh", Bernoulli()), ("relu", Gaussian(0.5))],
)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.usefixtures("three_threads")
def test_the_gradient_is_the_same_on_one_thread_and_on_several(activation, likelihood, precision):
    network = compose(400, 16, encoder=Dense((64,), activation), code=Deterministic(), likelihood=likelihood)
    initialise(network, "torch", Generator().manual_seed(0))
    step = fused_backward.of(network, precision, weighted=False)
    rows = torch.rand(128, 400, generator=Generator().manual_seed(1))
    found = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        found.append((float(step.step(rows)), step.slope.clone()))
    for figure, gradient in found[1:]:
        assert figure == found[0][0]
        assert torch.equal(gradient, found[0][1])


@pytest.mark.parametrize(
    "parts",
    [
        {"encoder": Dense((6,), dropout=0.1)},
        {"encoder": Dense((6,), norm="layer")},
        {"decoder": "tied"},
        {"penalty": "l1"},
        {"code": "gaussian", "penalty": KL()},
        {"likelihood": Gaussian("learned")},
        {"likelihood": "negative_binomial"},
        {"corruption": Masking(0.5, score="hidden")},
        {"corruption": Masking(0.5, mark=True, score="all")},
    ],
)
def test_what_is_left_to_autograd(parts):
    assert not fused_backward.suits(network_of(**parts))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_training_goes_the_same_way(monkeypatch, precision):
    X = (load_digits().data / 16).astype(np.float32)[:600]
    settings = {"latent": 5, "epochs": 4, "compute": Compute(threads=1, precision=precision), "random_state": 0}
    found = [AutoEncoder(**settings).fit(X)]
    monkeypatch.setattr(fused_backward, "suits", lambda network: False)
    found.append(AutoEncoder(**settings).fit(X))
    losses = [model.history_["val_loss"] for model in found]
    np.testing.assert_allclose(*losses, rtol=1e-7 if precision == "float64" else 1e-3)
    assert found[0].history_.columns == found[1].history_.columns
