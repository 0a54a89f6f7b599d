import copy

import pytest
import torch
from torch import Generator, Tensor, nn

from isthmus import KL, L1, Bernoulli, Dense, Deterministic, Gaussian, GaussianNoise, TopK
from isthmus.core.contract import Step
from isthmus.core.initialisation import initialise
from isthmus.core.network import Network
from isthmus.parts.composition import compose

B, F, K = 6, 5, 2


def network_of(**parts) -> Network:
    parts = {"encoder": Dense((8,), dropout=0.2), "corruption": GaussianNoise(0.5), "penalty": L1(0.1)} | parts
    network = compose(F, K, **parts).double()
    initialise(network, "torch", Generator().manual_seed(0))
    network.seed(Generator().manual_seed(1))
    return network


def in_use(network):
    network.seed(None)
    return network.eval()


@pytest.fixture
def x() -> Tensor:
    return torch.rand(B, F, dtype=torch.float64, generator=Generator().manual_seed(2))


@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian("learned"), Gaussian(0.5, "sigmoid"), Bernoulli()])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rows", [1, B])
def test_shapes(x, likelihood, training, rows):
    network = network_of(likelihood=likelihood).train(training)
    step = network(x[:rows])
    outputs = 2 * F if likelihood == Gaussian("learned") else F
    assert isinstance(step, Step)
    assert [step.x.shape, step.x_in.shape, step.code.z.shape] == [(rows, F), (rows, F), (rows, K)]
    assert [step.code.mean.shape, step.theta.shape] == [(rows, K), (rows, outputs)]
    assert {name: values.shape for name, values in network.terms(x[:rows]).items()} == {"nll": (rows,), "l1": (rows,)}
    assert network.decode(step.code.z).shape == (rows, F)
    assert network.encode(x[:rows]).z.shape == (rows, K)


def test_terms_without_penalty(x):
    assert list(network_of(penalty=None).terms(x)) == ["nll"]


def test_no_corruption_in_use(x):
    network = in_use(network_of())
    assert torch.equal(network(x).x_in, x)


def test_rows_that_judge_are_corrupted_by_the_same_noise_every_time(x):
    network, seen = network_of().eval(), []
    for _ in range(2):
        network.seed(Generator().manual_seed(3))
        seen.append(network(x).x_in)
    assert torch.equal(*seen)
    assert not torch.equal(seen[0], x)


def test_target_stays_clean_in_training(x):
    network = network_of(encoder=Dense((8,)), likelihood=Gaussian(0.5))
    clean = x.clone()
    step = network.train()(x)
    assert torch.equal(step.x, clean)
    assert not torch.equal(step.x_in, clean)
    assert torch.equal(step.code.z, network.encode(step.x_in).z)
    network.seed(Generator().manual_seed(1))
    torch.testing.assert_close(network.terms(x)["nll"], network.likelihood.nll(clean, step.theta))


def test_without_corruption_the_encoder_sees_the_rows(x):
    assert torch.equal(network_of(corruption=None).train()(x).x_in, x)


def test_evaluation_is_deterministic(x):
    network = in_use(network_of())
    state = torch.get_rng_state()
    first, second = network(x), network(x)
    assert torch.equal(first.theta, second.theta)
    assert torch.equal(torch.get_rng_state(), state)


def test_rows_do_not_see_each_other_in_evaluation(x):
    network = in_use(network_of())
    alone = torch.cat([network(x[i : i + 1]).theta for i in range(B)])
    torch.testing.assert_close(network(x).theta, alone)


def test_same_seed_same_draws(x):
    network = network_of().train()
    before = torch.get_rng_state()
    steps = []
    for seed in (5, 5, 6):
        network.seed(Generator().manual_seed(seed))
        steps.append(network(x))
    assert torch.equal(steps[0].x_in, steps[1].x_in)
    assert torch.equal(steps[0].theta, steps[1].theta)
    assert not torch.equal(steps[0].x_in, steps[2].x_in)
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_differ_from_one_batch_to_the_next(x):
    network = network_of().train()
    assert not torch.equal(network(x).x_in, network(x).x_in)


def test_seed_reaches_every_module_that_draws(x):
    network, generator = network_of(), Generator()
    drawing = [network.corruption, network.encoder.dropout, network.decoder.dropout]
    network.seed(generator)
    assert all(module.generator is generator for module in drawing)
    network.seed(None)
    assert all(module.generator is None for module in drawing)


def test_copy_has_the_weights_and_not_the_generator(x):
    network = network_of().eval()
    copied = copy.deepcopy(network)
    assert copied.corruption.generator is None
    assert network.corruption.generator is not None
    assert torch.equal(copied(x).theta, in_use(network)(x).theta)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_finite(value):
    network = network_of()
    assert network.finite() is True
    with torch.no_grad():
        network.decoder.biases[-1][2] = value
    assert network.finite() is False


def test_decode_is_the_mean_of_the_likelihood(x):
    network = network_of(likelihood=Bernoulli()).eval()
    step = network(x)
    torch.testing.assert_close(network.decode(step.code.z), torch.sigmoid(step.theta))


def test_code_passes_its_activation(x):
    network = network_of(code=Deterministic("sigmoid")).eval()
    torch.testing.assert_close(network.encode(x).z, torch.sigmoid(network.encoder(x)))


class Recorder(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, step, network):
        self.seen.append((step, network))
        return step.theta.square().sum(1)


def test_penalties_get_the_step_and_the_network(x):
    parts = network_of()
    recorder = Recorder()
    network = Network(parts.encoder, parts.code, parts.decoder, parts.likelihood, penalties={"size": recorder}).eval()
    terms = network.terms(x, torch.ones(B))
    ((step, given),) = recorder.seen
    assert list(terms) == ["nll", "size"]
    assert given is network
    assert torch.equal(step.x, x)
    assert torch.equal(step.weight, torch.ones(B))
    assert torch.equal(terms["size"], network(x).theta.square().sum(1))


def test_weight_reaches_the_likelihood(x):
    network = network_of(likelihood=Gaussian("optimal"), encoder=Dense((8,)), corruption=None).train()
    weight = torch.arange(B, dtype=torch.float64)
    theta = network(x).theta
    torch.testing.assert_close(network.terms(x, weight)["nll"], network.likelihood.nll(x, theta, weight))
    assert not torch.equal(network.terms(x, weight)["nll"], network.terms(x)["nll"])


def test_gradient_reaches_every_weight(x):
    network = network_of(likelihood=Gaussian("learned")).train()
    sum(network.terms(x).values()).mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())


def test_weights_come_back(x):
    network, other = network_of(), compose(F, K, encoder=Dense((8,), dropout=0.2)).double()
    other.load_state_dict(network.state_dict())
    assert torch.equal(in_use(other)(x).theta, in_use(network)(x).theta)


def test_a_network_settles_with_the_last_of_its_parts():
    assert network_of().warm_up_share == 0
    assert compose(F, K, code=TopK(1, anneal=0.3)).warm_up_share == 0.3
    assert compose(F, K, code="gaussian", penalty=[KL(warm_up=0.4), "l1"]).warm_up_share == 0.4
