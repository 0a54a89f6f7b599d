"""The resolution of columns: steps of whole numbers, other units, gaps and columns of one value."""

import torch

from isthmus.core.resolution import resolution_variances


def test_whole_numbers():
    x = torch.tensor([[0.0, 3.0], [1.0, 9.0], [2.0, 3.0], [9.0, 15.0]])
    torch.testing.assert_close(resolution_variances(x), torch.tensor([1.0, 36.0]).double() / 12)


def test_units():
    x = torch.rand(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(resolution_variances(10 * x), 100 * resolution_variances(x), rtol=1e-3, atol=0)


def test_missing_cells_do_not_count():
    x = torch.tensor([[0.0, 1.0], [torch.nan, 2.0], [4.0, torch.nan], [torch.nan, 5.0]])
    torch.testing.assert_close(resolution_variances(x), torch.tensor([16.0, 1.0]).double() / 12)


def test_one_value_has_the_others_resolution():
    x = torch.tensor([[0.0, 7.0, 1.0], [1.0, 7.0, 3.0], [2.0, 7.0, 5.0]])
    torch.testing.assert_close(resolution_variances(x), torch.tensor([1.0, 1.0, 4.0]).double() / 12)
    assert torch.equal(resolution_variances(torch.ones(3, 2)), torch.zeros(2).double())


def test_rounding_is_no_step():
    x = torch.tensor([[0.1 + 0.2], [0.3], [1.3]], dtype=torch.float64)
    torch.testing.assert_close(resolution_variances(x), torch.tensor([1 / 12], dtype=torch.float64))
