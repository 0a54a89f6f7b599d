import pytest
import torch
from torch import Generator

from isthmus.core.modules import ACTIVATIONS
from isthmus.parts.codes import Deterministic


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_code_is_its_activation_and_has_no_noise(name, training):
    module = Deterministic(name).build(3).train(training)
    h = torch.randn(7, 3, generator=Generator().manual_seed(0))
    code = module(h)
    torch.testing.assert_close(code.z, ACTIVATIONS[name].function(h))
    assert torch.equal(code.mean, code.z)
    assert code.posterior is None
    assert (module.latent, module.inputs, module.activation) == (3, 3, name)


def test_plain_by_default():
    h = torch.randn(7, 3, generator=Generator().manual_seed(0))
    assert torch.equal(Deterministic().build(3)(h).z, h)


def test_activation_that_is_not_known():
    with pytest.raises(ValueError, match="unknown activation 'sigmoid2'; did you mean 'sigmoid'"):
        Deterministic("sigmoid2").build(3)


def test_no_weights():
    assert list(Deterministic("tanh").build(3).parameters()) == []
