import math

import pytest
import torch
from torch import Generator

from isthmus import Dense, Deterministic
from isthmus.core.contract import Code, Step
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose
from isthmus.parts.penalties import L1, KLSparsity, WeightDecay


def step_of(mean: torch.Tensor) -> Step:
    x = torch.zeros(len(mean), 5, dtype=mean.dtype)
    return Step(x, x, Code(z=torch.full_like(mean, 99), mean=mean), x)


@pytest.mark.parametrize("weight", [0, 0.01, 3])
def test_l1_is_the_weighted_norm_of_the_noise_free_code(weight):
    mean = torch.randn(6, 3, dtype=torch.float64, generator=Generator().manual_seed(0))
    penalty = L1(weight).build(5, 3)(step_of(mean), None)
    assert penalty.shape == (6,)
    torch.testing.assert_close(penalty, weight * torch.linalg.vector_norm(mean, ord=1, dim=1))


def test_gradient_of_l1_is_the_sign():
    mean = torch.tensor([[-2.0, 0.0, 0.5]], requires_grad=True)
    L1(0.3).build(5, 3)(step_of(mean), None).sum().backward()
    torch.testing.assert_close(mean.grad, torch.tensor([[-0.3, 0.0, 0.3]]))


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, None, True, "0.3"])
def test_weight_that_cannot_be(weight):
    with pytest.raises(ValueError, match="weight of L1 must be a number of at least 0; got "):
        L1(weight).build(5, 3)


# -- sparsity of a sigmoid code ------------------------------------------------------------------------------------


def shares(seed=0):
    return torch.rand(6, 3, dtype=torch.float64, generator=Generator().manual_seed(seed)) * 0.9 + 0.05


def test_kl_sparsity_is_the_divergence_between_coins():
    mean = shares()
    rate, active = torch.tensor(0.2).double(), mean.mean(0)
    coins = torch.distributions.kl_divergence(
        torch.distributions.Bernoulli(rate.expand(3)), torch.distributions.Bernoulli(active)
    )
    found = KLSparsity(2.0, 0.2).build(5, 3)(step_of(mean), None)
    torch.testing.assert_close(found, 2 * coins.sum().expand(6))


def test_kl_sparsity_vanishes_at_its_rate():
    mean = shares()
    mean = mean - mean.mean(0) + 0.4
    assert float(KLSparsity(3.0, 0.4).build(5, 3)(step_of(mean), None).abs().max()) < 1e-12


def test_weights_count_rows_in_kl_sparsity():
    weight = torch.tensor([2.0, 1, 1, 3, 1, 1], dtype=torch.float64)
    module = KLSparsity().build(5, 3)
    repeated = step_of(shares().repeat_interleave(weight.long(), 0))
    weighted = step_of(shares())._replace(weight=weight)
    torch.testing.assert_close(module(weighted, None)[0], module(repeated, None)[0])


@pytest.mark.parametrize("code", ["deterministic", "gaussian", "top_k"])
def test_kl_sparsity_needs_a_sigmoid(code):
    with pytest.raises(ValueError, match=r"KLSparsity needs a code in .0, 1., and the code of .* is not: take code="):
        compose(40, 30, code=code, penalty="kl_sparsity")


def test_a_unit_that_is_always_on_costs_a_finite_number_in_half_precision():
    found = KLSparsity().build(5, 3)(step_of(torch.ones(4, 3, dtype=torch.bfloat16)), None)
    assert found.isfinite().all()
    torch.testing.assert_close(found, KLSparsity().build(5, 3)(step_of(torch.ones(4, 3)), None))


# -- weight decay --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [(), ("encoder",), ("decoder.linears.1",), ("encoder.linears.0", "decoder")])
def test_weight_decay_is_the_sum_of_squares_of_those_layers(layers):
    network = compose(5, 3, encoder=Dense((4,)), penalty=WeightDecay(0.3, layers)).double()
    initialise(network, "torch", Generator().manual_seed(0))
    x = torch.zeros(2, 5, dtype=torch.float64)
    named = {name: p for name, p in network.named_parameters() if p.dim() > 1}
    expected = sum(p.square().sum() for name, p in named.items() if not layers or name.startswith(layers))
    torch.testing.assert_close(network.terms(x)["weight_decay"], (0.3 * expected).expand(2))


def test_layer_that_is_not_there():
    with pytest.raises(
        ValueError, match=r"no layer of the network begins with 'encodr', as WeightDecay asks: encoder\.l"
    ):
        compose(5, 3, penalty=WeightDecay(layers=("encodr",)))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (KLSparsity(rate=0), "rate of KLSparsity must be a positive number"),
        (KLSparsity(rate=1), "rate of KLSparsity must be a number in"),
        (KLSparsity(-1), "weight of KLSparsity"),
        (WeightDecay(-1), "weight of WeightDecay"),
        (WeightDecay(layers="encoder"), "layers of WeightDecay must be a tuple"),
        (WeightDecay(layers=None), "layers of WeightDecay must be a tuple .* got None"),
    ],
)
def test_penalties_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(5, 3)


def test_sigmoid_codes_compose_with_it():
    assert list(compose(5, 3, code=Deterministic("sigmoid"), penalty="kl_sparsity").penalties) == ["kl_sparsity"]
