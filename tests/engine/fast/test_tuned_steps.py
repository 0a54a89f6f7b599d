"""Which steps are chosen; `test_thread_tuner`, `test_precision` and `test_zero_skipping` test what is around them."""

import numpy as np
import pytest
import torch
from torch import Generator

from isthmus import Dense
from isthmus.core.initialisation import initialise
from isthmus.data.rows import Rows
from isthmus.engine import Adam, Plan
from isthmus.engine.fast.fused_steps import FusedSteps
from isthmus.engine.fast.tuned_steps import TunedSteps, gradient_steps, steps_for
from isthmus.engine.steps import AutogradSteps
from isthmus.parts.composition import compose

X = np.random.default_rng(0).random((40, 6))


def network(**parts):
    built = compose(6, 2, encoder=Dense((5,)), **parts).double()
    initialise(built, "torch", Generator().manual_seed(0))
    return built


def chosen(weight=None, optimiser=None, built=None, **plan):
    rows = Rows(X, weight, dtype=torch.float64)
    plan = Plan(**{"epochs": 2, "batch_size": 8, "learning_rate": 0.1} | plan)
    return gradient_steps(network() if built is None else built, rows, plan, optimiser)


class OwnAdam(Adam):
    pass


def test_a_plain_network_gets_fused_steps():
    assert isinstance(chosen(), FusedSteps)


@pytest.mark.parametrize(
    "settings",
    [{"weight": np.ones(40)}, {"open_ended": True}, {"optimiser": OwnAdam()}],
    ids=["weights", "open ended", "an optimiser of one's own"],
)
def test_what_needs_autograd(settings):
    plan = {"optimiser": settings.pop("optimiser")} if "optimiser" in settings else {}
    rows = Rows(X, settings.pop("weight", None), dtype=torch.float64)
    plan = Plan(**{"epochs": 2, "batch_size": 8, "learning_rate": 0.1} | plan | settings)
    assert isinstance(gradient_steps(network(), rows, plan, None), AutogradSteps)
    assert isinstance(chosen(built=network(penalty="l1")), AutogradSteps)


def test_an_optimiser_to_continue_with_needs_autograd():
    built = network()
    mine = Adam().build(built.parameters(), 0.1)
    steps = chosen(optimiser=mine, built=built)
    assert isinstance(steps, AutogradSteps)
    assert steps.optimiser is mine
    assert chosen().optimiser is None


def test_a_run_restores_the_threads_and_the_network():
    built = network()
    storage = built.encoder.weights[0].untyped_storage().nbytes()
    before = torch.get_num_threads()
    plan = Plan(epochs=2, batch_size=8, learning_rate=0.1, threads=[1])
    steps = steps_for(built, Rows(X, dtype=torch.float64), torch.arange(40), plan, None)
    assert isinstance(steps, TunedSteps)
    assert built.encoder.weights[0].untyped_storage().nbytes() > storage
    with steps.running():
        assert torch.get_num_threads() == 1
    steps.release()
    assert torch.get_num_threads() == before
    assert built.encoder.weights[0].untyped_storage().nbytes() == storage
