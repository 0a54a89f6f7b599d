import pytest
import torch

from isthmus import AutoEncoder, Compute
from isthmus.engine.compute import compute


def test_a_name_is_a_device():
    assert compute("auto") == Compute()
    assert compute("cpu") == Compute(device="cpu")
    mine = Compute(threads=1)
    assert compute(mine) is mine


@pytest.mark.parametrize("given", [None, 1, ["cpu"], Compute])
def test_what_is_neither_is_refused(given):
    with pytest.raises(ValueError, match=r"compute must be 'auto', the name of a device .*; got"):
        compute(given)


def test_the_device_is_looked_up():
    assert Compute(device="cpu").on == torch.device("cpu")
    with pytest.raises(ValueError, match="unknown device 'gpu'"):
        Compute(device="gpu").on  # noqa: B018


def test_nested_parameters():
    ae = AutoEncoder(2, compute=Compute()).set_params(compute__threads=2)
    assert ae.get_params()["compute__threads"] == 2
