import math

import pytest
import torch
from torch import Generator

from isthmus.core.contract import Code, Step
from isthmus.parts.penalties import L1


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
    with pytest.raises(ValueError, match="weight of L1 has to be a number of at least 0; got "):
        L1(weight).build(5, 3)
