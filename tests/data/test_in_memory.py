import torch

from isthmus.data.in_memory import shuffled_split


def test_a_split_is_one_permutation():
    parts = shuffled_split(50, 8, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat(parts), torch.randperm(50, generator=torch.Generator().manual_seed(0)))
