import pytest
import torch
from torch import nn

from isthmus.core.allowance import Allowance


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(10**6, 10**6),
        lambda: torch.zeros((10**12,)),
        lambda: torch.ones(size=(10**12,)),
        lambda: torch.full((10**12,), 1.0),
        lambda: torch.arange(10**12),
        lambda: torch.arange(0, 10**12, 0.5),
        lambda: torch.linspace(0, 1, 10**12),
        lambda: torch.eye(10**6),
        lambda: torch.randperm(10**12),
        lambda: nn.Linear(10**6, 10**6),
        lambda: nn.utils.skip_init(nn.Linear, 10**6, 10**6),
        lambda: nn.Embedding(10**6, 10**6),
    ],
)
def test_nothing_larger_is_made(make):
    with pytest.raises(ValueError, match="larger network than the file holds"), Allowance(10**6, 1000):
        make()


def test_many_small_ones_are_too_many():
    with pytest.raises(ValueError, match="larger network"), Allowance(10**6, 10):
        [torch.zeros(1) for _ in range(11)]


def test_what_is_allowed_is_made_as_ever():
    torch.manual_seed(0)
    with Allowance(1000, 100):
        made = nn.Linear(5, 4)
    torch.manual_seed(0)
    assert torch.equal(made.weight, nn.Linear(5, 4).weight)
