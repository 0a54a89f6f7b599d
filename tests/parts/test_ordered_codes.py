import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import AutoEncoder, OrderedCode

K = 6


def truncated(part, rows=20_000):
    code = part.build(K).train()
    code.generator = Generator().manual_seed(0)
    return (code(torch.ones(rows, K)).z != 0).sum(1)


def test_uniform_lengths():
    shares = torch.bincount(truncated(OrderedCode()), minlength=K + 1) / 20_000
    torch.testing.assert_close(shares[1:], torch.full((K,), 1 / K), atol=0.015, rtol=0)


def test_geometric_lengths():
    shares = torch.bincount(truncated(OrderedCode("geometric", 0.3)), minlength=K + 1)[1:] / 20_000
    expected = 0.7 ** torch.arange(K)
    torch.testing.assert_close(shares, expected / expected.sum(), atol=0.015, rtol=0)


def test_in_use_nothing_is_cut_off():
    h = torch.randn(5, K, generator=Generator().manual_seed(0))
    assert torch.equal(OrderedCode().build(K).eval()(h).z, h)


def test_first_coordinates_are_the_best_ones():
    X = (load_digits().data / 16).astype(np.float32)
    model = AutoEncoder(K, code="ordered", epochs=20, random_state=0).fit(X[:1400])
    codes = model.transform(X[1400:])
    errors = []
    for kept in range(K + 1):
        cut = np.where(np.arange(K) < kept, codes, 0)
        errors.append(np.mean((model.inverse_transform(cut) - X[1400:]) ** 2))
    assert np.all(np.diff(errors) < 0)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (OrderedCode("x"), "unknown distribution of OrderedCode"),
        (OrderedCode(rate=1.0), "rate of OrderedCode must be a number in"),
        (OrderedCode(activation="x"), "unknown activation"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(K)
