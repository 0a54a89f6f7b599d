import pytest
import torch
from torch import Generator

from isthmus.core.modules import ACTIVATIONS
from isthmus.engine.fast.activations import DERIVATIVES, FUNCTIONS, KEEP_INPUT


def test_every_activation_of_the_layers_is_there():
    assert set(FUNCTIONS) == set(DERIVATIVES) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives_are_those_of_autograd(name):
    random = Generator().manual_seed(0)
    before = 3 * torch.randn(50, dtype=torch.float64, generator=random)
    pull = torch.randn(50, dtype=torch.float64, generator=random)
    traced = before.clone().requires_grad_()
    expected = ACTIVATIONS[name].function(traced)
    expected.backward(pull)

    given, out = before.clone(), torch.empty_like(before)
    after = FUNCTIONS[name](given, out)
    assert after is (out if name in KEEP_INPUT else given)
    torch.testing.assert_close(after, expected.detach())
    if name in KEEP_INPUT:
        assert torch.equal(given, before)
    gradient = pull.clone()
    DERIVATIVES[name](gradient, given, after)
    torch.testing.assert_close(gradient, traced.grad)
