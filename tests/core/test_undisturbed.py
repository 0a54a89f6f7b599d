import signal

import pytest
import torch

from isthmus.core.blas import counts
from isthmus.core.undisturbed import undisturbed, undisturbed_items


def seen():
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype(), set(counts())


USUAL = (True, False, torch.float32, {1})


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, lambda: torch.device("meta")])
def test_modes_are_the_usual_ones_inside_and_the_callers_after(mode):
    with mode():
        before = seen(), torch.get_default_device()
        assert undisturbed(seen)() == USUAL
        assert undisturbed(lambda: torch.zeros(1).device.type)() == "cpu"
        assert (seen(), torch.get_default_device()) == before


def test_an_iterator_is_outside_between_its_items():
    def items():
        for _ in range(2):
            yield seen()

    with torch.no_grad():
        found = []
        for item in undisturbed_items(items()):
            found.append(item)
            assert not torch.is_grad_enabled()
    assert found == [USUAL] * 2


def test_ctrl_c_leaves_all_as_it_was():
    before = seen(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        undisturbed(signal.raise_signal)(signal.SIGINT)
    assert (seen(), signal.getsignal(signal.SIGINT)) == before
