import pytest
import torch
from torch import Generator

from isthmus import Dense
from isthmus.core.initialisation import initialise
from isthmus.engine.fast.flat_weights import FlatWeights
from isthmus.engine.fast.fused_backward import dense_autoencoder
from isthmus.engine.fast.matmul import NumpyMatmul, TorchMatmul
from isthmus.engine.fast.workspace import Workspace
from isthmus.parts.composition import compose


def workspace(backend):
    network = compose(6, 2, encoder=Dense((5,)))
    initialise(network, "torch", Generator().manual_seed(0))
    parts = dense_autoencoder(network)
    flat = FlatWeights([p for s in parts.stacks for pair in zip(s.weights, s.biases, strict=True) for p in pair])
    return Workspace(parts, flat, backend)


@pytest.mark.parametrize("backend", [TorchMatmul(), TorchMatmul(bfloat16=True), NumpyMatmul()])
def test_buffers_of_two_batch_sizes_are_kept(backend):
    made = workspace(backend)
    first, second = made.buffers_for(4), made.buffers_for(3)
    assert made.buffers_for(4) is first
    assert made.buffers_for(3) is second
    made.buffers_for(2)
    assert list(made.buffers) == [2]


@pytest.mark.parametrize("backend", [TorchMatmul(), NumpyMatmul()])
def test_a_step_allocates_no_buffers_the_second_time_and_repeats_itself(backend):
    made = workspace(backend)
    x = torch.rand(4, 6, generator=Generator().manual_seed(1))
    first = float(made.step(x)), made.flat.gradient.clone()
    buffers = made.buffers_for(4)
    assert float(made.step(x)) == first[0]
    assert torch.equal(made.flat.gradient, first[1])
    assert made.buffers_for(4) is buffers
