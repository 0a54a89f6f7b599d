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
    Principal,
)
from isthmus.core.initialisation import initialise
from isthmus.core.modules import ACTIVATIONS
from isthmus.core.principal import PrincipalComponents
from isthmus.engine.fast import fused_backward
from isthmus.engine.fast.fused_backward import FusedBackward
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


def assert_same(network, rows, numpy=False, **tolerance):
    loss, other = by_autograd(network, rows)
    backward = FusedBackward(network, numpy_on_one_thread=numpy)
    values = backward.step(rows)[None]
    backward.parts.loss.update_likelihood(values)
    torch.testing.assert_close(backward.parts.loss.losses(values)[0], loss.detach(), check_dtype=False, **tolerance)
    for gradient, parameter in zip(gradients(backward), [*parameters(other)], strict=True):
        torch.testing.assert_close(gradient, parameter.grad, **tolerance)
    return backward, other


def gradients(backward):
    return backward.flat.split(backward.flat.gradient)


def parameters(network):
    for stack in (network.encoder, network.decoder):
        for weight, bias in zip(stack.weights, stack.biases, strict=True):
            yield from (weight, bias)


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_layers_and_codes_of_every_activation(activation, numpy):
    assert_same(network_of(Dense((6, 5), activation), Deterministic(activation)), x(), numpy)


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


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("stretch", [1.0, 100.0])
@pytest.mark.parametrize("likelihood", [Poisson(), Multinomial()])
def test_likelihoods_of_counts(likelihood, stretch, numpy):
    network = network_of(likelihood=likelihood)
    with torch.no_grad():  # far enough that a rate is held at its bounds
        network.decoder.biases[-1].mul_(stretch)
    rows = torch.poisson(3 * x(), generator=Generator().manual_seed(3))
    rows[2] = 0
    assert_same(network, rows, numpy)


def test_corrupted_rows_are_seen_and_clean_ones_asked_for():
    assert_same(network_of(corruption=GaussianNoise(0.3)), x())


@pytest.mark.parametrize("code", [Deterministic(), Deterministic("sigmoid")])
def test_fixed_components_before_layers_that_are_trained(code):
    network = compose(F, K, encoder=Principal((6,)), code=code).double()
    sample = x().repeat(4, 1)
    components = torch.linalg.qr(torch.rand(F, K, dtype=torch.float64, generator=Generator().manual_seed(3)))[0]
    principal = PrincipalComponents(sample.mean(0), components, torch.ones(K).double(), torch.ones(F).double())
    initialise(network, "pca", Generator().manual_seed(1), principal, sample)
    before = network.encoder.weight.clone()
    loss, other = by_autograd(network.train(), x())
    backward = FusedBackward(network)
    values = backward.step(x())[None]
    torch.testing.assert_close(backward.parts.loss.losses(values)[0], loss.detach(), check_dtype=False)
    trained = [parameter.grad for parameter in other.decoder.parameters()]
    for gradient, theirs in zip(gradients(backward), trained, strict=True):
        torch.testing.assert_close(gradient, theirs)
    assert torch.equal(network.encoder.weight, before)


def test_products_in_bfloat16_are_near():
    network = network_of(dtype=torch.float32, likelihood=Gaussian(0.5))
    rows = x(torch.float32)
    _, other = by_autograd(network, rows)
    step = FusedBackward(network, bfloat16=True)
    step.step(rows)
    expected = torch.cat([parameter.grad.flatten() for parameter in parameters(other)])
    found = torch.cat([gradient.flatten() for gradient in gradients(step)])
    assert (found - expected).norm() < 0.02 * expected.norm()
    assert step.flat.gradient.dtype == torch.float32


def test_weights_are_views_of_the_vector_until_they_are_released():
    network = network_of()
    before = copy.deepcopy(network.state_dict())
    step = FusedBackward(network)
    step.flat.vector.add_(1)
    after = network.state_dict()
    for name, _ in network.named_parameters():
        torch.testing.assert_close(after[name], before[name] + 1)
    step.flat.release()
    step.flat.vector.zero_()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.data, before[name] + 1)
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 8


def test_precision_can_change_from_step_to_step():
    network = network_of(dtype=torch.float32)
    step = FusedBackward(network)
    found = []
    for bfloat16 in (False, True, False, True):
        step.use_bfloat16(bfloat16)
        step.step(x(torch.float32))
        found.append(step.flat.gradient.clone())
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[1], found[3])
    assert not torch.equal(found[0], found[1])


def test_batches_of_many_sizes():
    network = network_of()
    step = FusedBackward(network)
    rows = x()
    for size in (7, 1, 5, 7, 2):
        step.step(rows[:size])
        _, other = by_autograd(network, rows[:size])
        for gradient, parameter in zip(gradients(step), [*parameters(other)], strict=True):
            torch.testing.assert_close(gradient, parameter.grad)


def test_an_optimal_variance_follows_as_in_batch_after_batch():
    network = network_of()
    twin = copy.deepcopy(network)
    step = FusedBackward(network)
    batches = x().split(2)
    step.parts.loss.update_likelihood(torch.stack([step.step(batch) for batch in batches]))
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
    step = FusedBackward(network, precision == "bfloat16")
    rows = torch.rand(128, 400, generator=Generator().manual_seed(1))
    found = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        found.append((float(step.step(rows)), step.flat.gradient.clone()))
    for value, gradient in found[1:]:
        assert value == found[0][0]
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
    network = network_of(**parts)
    assert not fused_backward.suits(network)
    assert fused_backward.fused_backward(network, "float32", weighted=False) is None
    with pytest.raises(ValueError, match="needs a plain dense autoencoder"):
        FusedBackward(network)


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
