import numpy as np
import pytest
import torch

from isthmus.engine.fast.buffers import EVEN, SHARED, buffer
from isthmus.engine.fast.matmul import NumpyMatmul, TorchMatmul


@pytest.mark.parametrize("backend", [TorchMatmul(), NumpyMatmul()])
@pytest.mark.parametrize(("rows", "width"), [(0, 0), (3, 5), (200, 300)])
def test_all_forms_share_one_memory(backend, rows, width):
    made = buffer(rows, width, torch.empty(0, dtype=torch.float64), backend)
    made.matrix.fill_(7)
    assert made.matrix.shape == (rows, width)
    assert (np.asarray(made.operand) == 7).all()
    assert (np.asarray(made.transposed) == 7).all()
    assert made.transposed.shape == (width, rows)
    assert int((made.vector == 7).sum()) == rows * width
    assert len(made.vector) == rows * width or (rows * width >= SHARED and len(made.vector) % EVEN == 0)


def test_another_has_memory_of_its_own():
    made = buffer(2, 3, torch.empty(0, dtype=torch.float64), TorchMatmul())
    other = made.another()
    other.matrix.fill_(1)
    assert other.matrix.shape == (2, 3)
    assert other.matrix.dtype == torch.float64
    assert not made.matrix.any()
