import pytest
import torch
from torch import Generator

from isthmus.core import sparse_affine
from isthmus.core.modules import Stack

B, F, H = 9, 40, 5


def batch(share: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    random = Generator().manual_seed(0)
    x = torch.randn(B, F, dtype=dtype, generator=random)
    return x * (torch.rand(B, F, generator=random) < share)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_the_layer_and_its_gradient_are_the_dense_ones(share, dtype):
    random = Generator().manual_seed(1)
    x = batch(share, dtype)
    weight, bias, pull = (torch.randn(*shape, dtype=dtype, generator=random) for shape in ((H, F), (H,), (B, H)))
    results = []
    for layer in (sparse_affine.affine, torch.nn.functional.linear):
        w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
        y = layer(x, w, b)
        (y * pull).sum().backward()
        results.append((y.detach(), w.grad, b.grad))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)


def test_only_columns_with_entries_are_looked_at():
    x = torch.zeros(3, F)
    x[0, 7], x[2, 7], x[2, 30] = 1.0, 2.0, 3.0
    nonzeros = sparse_affine.NonZeros.of(x)
    assert nonzeros.columns.tolist() == [7, 30]
    assert nonzeros.entries.toarray().tolist() == [[1, 0], [0, 0], [2, 3]]
    gradient = torch.full((H, F), 9.0)  # what was there before is gone
    assert nonzeros.weight_gradient(torch.ones(3, H), gradient) is gradient
    assert torch.equal(gradient, torch.ones(3, H).T @ x)


def test_a_stack_skips_zeros_only_in_training_and_where_its_input_has_no_gradient(monkeypatch):
    calls = []
    affine = sparse_affine.affine
    monkeypatch.setattr(sparse_affine, "affine", lambda *given: calls.append(1) or affine(*given))
    stack, x = Stack((F, H, 2)).double(), batch(0.1)
    for layer in stack.linears:
        torch.nn.init.normal_(layer.weight, generator=Generator().manual_seed(0))
        torch.nn.init.zeros_(layer.bias)
    expected = stack.train()(x)
    assert not calls
    stack.skips_zeros = True
    torch.testing.assert_close(stack(x), expected)
    assert len(calls) == 1
    torch.testing.assert_close(stack.eval()(x), expected)
    stack.train()(x.requires_grad_()).sum().backward()
    assert x.grad is not None
    assert len(calls) == 1
