"""Everything but the recording itself, which needs a CUDA GPU: a pretended recording runs the function again."""

import pytest
import torch
from torch import Generator

from isthmus import Adam, Dense, Gaussian
from isthmus.core.initialisation import initialise
from isthmus.engine.fast.cuda_graph import WARM_UP_STEPS, RecordedStep
from isthmus.engine.fast.fused_backward import FusedBackward
from isthmus.engine.fast.fused_steps import FusedSteps
from isthmus.parts.composition import compose


class Pretended:
    """Runs the function again; like a graph it knows nothing of what changes outside of memory."""

    made = 0

    def __init__(self, function, generators):
        type(self).made += 1
        self.function, self.generators = function, generators
        self.result = torch.zeros(())

    def replay(self):
        self.result.copy_(self.function())


def network_of():
    network = compose(6, 2, encoder=Dense((5,)), likelihood=Gaussian())
    initialise(network, "torch", Generator().manual_seed(0))
    return network.train()


@pytest.mark.parametrize("bfloat16", [False, True])
def test_steps_are_the_same_with_and_without(bfloat16):
    rows = torch.rand(200, 6, generator=Generator().manual_seed(1))
    found = []
    for recorded in (False, True):
        steps = FusedSteps(FusedBackward(network_of(), bfloat16), Adam(), 0.01, cuda_graph=True)
        if recorded:
            steps.recorded = RecordedStep(steps.step, Pretended)
        Pretended.made = 0
        for number, x in enumerate(rows.tensor_split(30)):
            steps.take(x, None, 0.01 / (1 + number))
        found.append((steps.means(), steps.flat.vector.clone()))
    assert Pretended.made == 2
    assert found[0][0]["loss"] == pytest.approx(found[1][0]["loss"], rel=1e-6)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-6, atol=1e-7)


def test_warm_up_then_recorded_then_replayed():
    calls = []

    def step(x):
        calls.append(len(x))
        return x.sum()

    Pretended.made = 0
    recorded = RecordedStep(step, Pretended)
    results = [float(recorded(torch.full((3,), float(i)))) for i in range(WARM_UP_STEPS + 3)]
    assert results == [3.0 * i for i in range(WARM_UP_STEPS + 3)]
    assert Pretended.made == 1
    assert calls == [3] * (WARM_UP_STEPS + 3)


def test_a_result_outlives_the_next_replay():
    recorded = RecordedStep(lambda x: x.sum(), Pretended)
    for _ in range(WARM_UP_STEPS):
        recorded(torch.zeros(2))
    first, second = recorded(torch.ones(2)), recorded(torch.zeros(2))
    assert (float(first), float(second)) == (2.0, 0.0)


def test_the_generators_are_handed_over():
    given = [Generator(), Generator()]
    recorded = RecordedStep(lambda x: x.sum(), Pretended)
    for _ in range(WARM_UP_STEPS + 1):
        recorded(torch.ones(2), given)
    assert list(recorded.recordings[2].generators) == given


def test_a_new_precision_is_recorded_anew():
    steps = FusedSteps(FusedBackward(network_of()), Adam(), 0.01, cuda_graph=True)
    steps.recorded = first = RecordedStep(steps.step, Pretended)
    steps.change_precision("bfloat16")
    assert steps.recorded is not first
    assert steps.recorded.record is Pretended
