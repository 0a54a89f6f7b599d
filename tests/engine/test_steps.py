import copy

import pytest
import torch
from torch import Generator

from isthmus import Dense, GaussianNoise
from isthmus.core.initialisation import initialise
from isthmus.engine import Adam, Plan
from isthmus.engine.steps import AutogradSteps
from isthmus.parts.composition import compose

X = torch.rand(12, 4, dtype=torch.float64, generator=Generator().manual_seed(0))
PLAN = Plan(epochs=1, batch_size=12, learning_rate=0.01)


@pytest.fixture
def network():
    built = compose(4, 2, encoder=Dense((5,)), penalty="l1", corruption=GaussianNoise(0.1)).double()
    initialise(built, "torch", Generator().manual_seed(0))
    built.seed(Generator().manual_seed(1))
    return built.train()


def test_a_step_is_the_optimisers(network):
    twin = copy.deepcopy(network)
    twin.seed(Generator().manual_seed(1))
    AutogradSteps(network, PLAN, None).take(X, None, 0.05)
    optimiser = Adam().build(twin.parameters(), 0.05)
    sum(twin.terms(X).values()).mean().backward()
    optimiser.step()
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_means_are_of_the_steps_since_the_last_call(network):
    steps = AutogradSteps(network, PLAN, None)
    network.eval().seed(None)  # without noise
    expected = {name: float(values.detach().mean()) for name, values in network.terms(X).items()}
    steps.take(X, None, 0.0)
    found = steps.means()
    assert found["loss"] == pytest.approx(sum(expected.values()))
    assert found["l1"] == pytest.approx(expected["l1"])
    steps.take(X[:3], None, 0.0)
    assert steps.means()["loss"] != pytest.approx(found["loss"])


def test_a_dry_run_changes_nothing_and_repeats_itself(network):
    steps = AutogradSteps(network, PLAN, None)
    before = copy.deepcopy(network.state_dict())
    (generator,) = network.generators
    state = generator.get_state()
    dry_run = steps.dry_run(X, None)
    first = dry_run().clone()
    assert torch.equal(dry_run(), first)
    assert first.numel() == sum(parameter.numel() for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(generator.get_state(), state)
    assert not steps.optimiser.state


def test_forgetting_gradients_empties_the_optimiser(network):
    steps = AutogradSteps(network, PLAN, None)
    steps.take(X, None, 0.01)
    assert steps.optimiser.state
    steps.forget_gradients()
    assert not steps.optimiser.state
