import pytest
import torch
from torch import Generator

from isthmus import Bernoulli, Gaussian, Multinomial, NegativeBinomial, Poisson
from isthmus.core.modules import ACTIVATIONS
from isthmus.engine.fast.buffers import buffer
from isthmus.engine.fast.loss_kernels import KERNELS, kernel
from isthmus.engine.fast.matmul import TorchMatmul

B, F = 6, 4
SUPPORTED = [
    Bernoulli(),
    Poisson(),
    Multinomial(),
    Gaussian(0.5),
    *(Gaussian(activation=name) for name in ACTIVATIONS),
]


@pytest.mark.parametrize("part", SUPPORTED, ids=str)
def test_loss_and_gradient_are_those_of_autograd(part):
    random = Generator().manual_seed(0)
    x = torch.poisson(torch.full((B, F), 2.0, dtype=torch.float64), generator=random)
    x = x.clamp(max=1) if isinstance(part, Bernoulli) else x
    at = torch.randn(B, F, dtype=torch.float64, generator=random)
    traced, likelihood = at.clone().requires_grad_(), part.build(F).train()
    expected = likelihood.nll(x, traced).mean()
    expected.backward()

    found = kernel(part.build(F))
    theta, spare = (buffer(B, F, at, TorchMatmul()) for _ in range(2))
    theta.matrix.copy_(at)
    value, gradient = found(x, theta, spare)
    torch.testing.assert_close(found.losses(value[None])[0], expected.detach())
    torch.testing.assert_close(gradient.matrix, traced.grad)


@pytest.mark.parametrize("part", [Gaussian("learned"), Gaussian("columns"), NegativeBinomial()], ids=str)
def test_what_has_no_kernel(part):
    assert kernel(part.build(F)) is None


def test_a_subclass_has_no_kernel():
    for likelihood in KERNELS:
        assert likelihood in KERNELS
        assert type("Own", (likelihood,), {}) not in KERNELS
