import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Generator

from isthmus.data import components
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(200, 6))


def found(rows, index, seen=lambda x: x, rank=3, features=6):
    return components_of(rows, index, features, rank, Generator().manual_seed(0), seen)


def test_they_are_those_of_the_rows_at_these_positions():
    index = torch.arange(0, 200, 2)
    principal = found(Rows(X, dtype=torch.float64), index)
    centred = X[::2] - X[::2].mean(0)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(principal.mean, X[::2].mean(0), atol=1e-12)
    np.testing.assert_allclose(principal.variances, values[:3] ** 2 / 100, rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.diag(vectors[:3] @ principal.components.numpy())), 1, atol=1e-10)


def test_weights_are_repeated_rows():
    weight = RNG.integers(1, 4, 200)
    repeated = np.repeat(X, weight, axis=0)
    one = found(Rows(X, weight.astype(float), dtype=torch.float64), torch.arange(200))
    other = found(Rows(repeated, dtype=torch.float64), torch.arange(len(repeated)))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_they_are_of_what_the_encoder_sees_of_scaled_rows():
    scaling = AffineScaling(torch.full((6,), 1.0, dtype=torch.float64), torch.full((6,), 2.0, dtype=torch.float64))
    seen = found(Rows(X, scaling=scaling, dtype=torch.float64), torch.arange(200), lambda x: x.abs())
    other = found(Rows(np.abs((X - 1) / 2), dtype=torch.float64), torch.arange(200))
    torch.testing.assert_close(seen.components, other.components)


@pytest.mark.parametrize("rank", [2, 4])
def test_wide_sparse_rows_give_those_of_dense_rows(monkeypatch, rank):
    monkeypatch.setattr(components, "WIDEST_EXACT", 5)
    sparse = Rows(scipy.sparse.csr_array(np.where(np.abs(X) > 1, X, 0)), dtype=torch.float64)
    dense = Rows(sparse.table[:].numpy(), dtype=torch.float64)
    one, other = found(sparse, torch.arange(200), rank=rank), found(dense, torch.arange(200), rank=rank)
    np.testing.assert_allclose(one.variances, other.variances, rtol=1e-6)
    np.testing.assert_allclose(one.reconstruct(dense.table[:]), other.reconstruct(dense.table[:]), atol=1e-3)
