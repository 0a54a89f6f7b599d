import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Generator

from isthmus.core.principal import principal_components
from isthmus.data import sparse_principal
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.data.sparse_principal import sparse_principal_components

F = 1600


def counts(rows: int = 200) -> np.ndarray:
    """Four groups of columns, of which a row has one, far apart in size."""
    rng = np.random.default_rng(0)
    rates = np.zeros((4, F))
    for k in range(4):
        rates[k, 40 * k : 40 * k + 40] = 3.0 * (k + 1)
    return rng.poisson(rates[rng.integers(0, 4, rows)] + 0.01).astype(np.float64)


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 3, 200)])
@pytest.mark.parametrize("scaled", [False, True])
def test_they_are_those_of_the_dense_rows(weight, scaled, monkeypatch):
    monkeypatch.setattr(sparse_principal, "TOGETHER", 30)
    X = counts()
    shift, scale = torch.linspace(-1, 1, F).double(), torch.linspace(1, 3, F).double()
    dense, sparse = (
        Rows(table, weight, AffineScaling(shift, scale) if scaled else None, torch.float64)
        for table in (X, scipy.sparse.csr_array(X))
    )
    index = torch.randperm(200, generator=Generator().manual_seed(1))[:150]
    expected = principal_components(lambda: [dense.batch(index)], F, 3, Generator().manual_seed(0))
    found = sparse_principal_components(sparse, index, 3, Generator().manual_seed(0))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_no_row_becomes_dense(monkeypatch):
    rows = Rows(scipy.sparse.csr_array(counts()))
    monkeypatch.setattr(scipy.sparse.csr_array, "toarray", None)
    found = sparse_principal_components(rows, torch.arange(200))
    assert found.components.shape == (F, 256)
    torch.testing.assert_close(found.components.T @ found.components, torch.eye(256).double(), rtol=0, atol=1e-8)
