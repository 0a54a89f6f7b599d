"""A first layer's products over the entries that are not 0: `affine`, with its gradient, and `NotZero`."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class NotZero(NamedTuple):
    """What of a dense batch is not 0, on the processor.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 2.0, 0.0, 0.0], [0.0, 1.0, 0.0, 3.0]])
    >>> found = NotZero.of(x)
    >>> found.columns, found.affine(torch.ones(1, 4), torch.zeros(1))
    (tensor([1, 3]), tensor([[2.],
            [4.]]))
    """

    columns: Tensor
    """(U,) those in which a row is not 0, rising."""
    entries: scipy.sparse.csr_array
    """(B, U) the batch in these columns."""

    @classmethod
    def of(cls, x: Tensor) -> "NotZero":
        """Find it in a batch (B, F)."""
        dense = x.detach().numpy()
        size, features = dense.shape
        flat = np.flatnonzero(dense != 0)  # of truth values it is several times faster
        row, column = np.divmod(flat, features)
        present = np.zeros(features, dtype=bool)
        present[column] = True
        columns = np.flatnonzero(present)
        place = (np.cumsum(present, dtype=np.int32) - 1)[column]
        starts = np.searchsorted(row, np.arange(size + 1)).astype(np.int32)
        entries = scipy.sparse.csr_array((dense.ravel()[flat], place, starts), shape=(size, len(columns)))
        return cls(torch.from_numpy(columns), entries)

    def affine(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Return x Wᵀ + b, (B, H), for weights (H, F) and a bias (H,)."""
        used = weight.detach().index_select(1, self.columns).t().contiguous()
        return torch.from_numpy(self.entries @ used.numpy()) + bias.detach()

    def weight_slope(self, gradient: Tensor, out: Tensor) -> Tensor:
        """Write gᵀ x, (H, F), the gradient of the weights, from that of the outputs, g (B, H)."""
        used = torch.from_numpy(self.entries.T @ gradient.detach().contiguous().numpy())
        return out.zero_().index_copy_(1, self.columns, used.t())


class Affine(torch.autograd.Function):
    """The layer `affine` as autograd takes it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return x Wᵀ + b."""
        ctx.found, ctx.weight = NotZero.of(x), weight.detach()
        return ctx.found.affine(weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        """Return the gradients of weight and bias."""
        return None, ctx.found.weight_slope(gradient, torch.empty_like(ctx.weight)), gradient.sum(0)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return x Wᵀ + b, (B, H), of rows (B, F) that are mostly 0 and ask for no gradient, on the processor.

    The same numbers as of the dense product, to rounding, for time in proportion to what is not 0.
    """
    result: Tensor = Affine.apply(x, weight, bias)
    return result
