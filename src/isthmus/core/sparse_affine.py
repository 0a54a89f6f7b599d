"""A layer whose matrix products run over the non-zero entries of its input: `affine`, and `NonZeros`."""

from typing import NamedTuple, Protocol

import numpy as np
import scipy.sparse
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class NonZeros(NamedTuple):
    """The non-zero entries of a dense batch, on the processor; B rows, F columns, U columns in use.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 2.0, 0.0, 0.0], [0.0, 1.0, 0.0, 3.0]])
    >>> nonzeros = NonZeros.of(x)
    >>> nonzeros.columns, nonzeros.affine(torch.ones(1, 4), torch.zeros(1))
    (tensor([1, 3]), tensor([[2.],
            [4.]]))
    """

    columns: Tensor
    """(U,) the columns with a non-zero entry, ascending."""
    entries: scipy.sparse.csr_array
    """(B, U) the batch restricted to these columns."""

    @classmethod
    def of(cls, x: Tensor) -> "NonZeros":
        """Return the non-zero entries of a batch (B, F)."""
        dense = x.detach().numpy()
        size, features = dense.shape
        flat = np.flatnonzero(dense != 0)  # several times faster on booleans than on numbers
        row, column = np.divmod(flat, features)
        present = np.zeros(features, dtype=bool)
        present[column] = True
        columns = np.flatnonzero(present)
        place = (np.cumsum(present, dtype=np.int32) - 1)[column]
        starts = np.searchsorted(row, np.arange(size + 1)).astype(np.int32)
        entries = scipy.sparse.csr_array((dense.ravel()[flat], place, starts), shape=(size, len(columns)))
        return cls(torch.from_numpy(columns), entries)

    def affine(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Return x Wᵀ + b, (B, H), for weights W (H, F) and a bias b (H,)."""
        used = weight.detach().index_select(1, self.columns).t().contiguous()
        return torch.from_numpy(self.entries @ used.numpy()) + bias.detach()

    def weight_gradient(self, gradient: Tensor, out: Tensor) -> Tensor:
        """Write gᵀ x (H, F), the gradient of the weights, to `out`; g (B, H) is the gradient of the outputs."""
        used = torch.from_numpy(self.entries.T @ gradient.detach().contiguous().numpy())
        return out.zero_().index_copy_(1, self.columns, used.t())


class AffineContext(Protocol):
    """What the forward pass keeps for the backward pass."""

    nonzeros: NonZeros
    weight: Tensor


class Affine(torch.autograd.Function):
    """`affine` as an autograd function."""

    @staticmethod
    def forward(ctx: AffineContext, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return x Wᵀ + b."""
        ctx.nonzeros, ctx.weight = NonZeros.of(x), weight.detach()
        return ctx.nonzeros.affine(weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: AffineContext, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        """Return the gradients of weight and bias."""
        return None, ctx.nonzeros.weight_gradient(gradient, torch.empty_like(ctx.weight)), gradient.sum(0)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return x Wᵀ + b, (B, H), for rows x (B, F) that are mostly 0 and need no gradient, on the processor.

    The result is that of the dense product up to rounding; the time is proportional to the number of non-zero entries.
    """
    result: Tensor = Affine.apply(x, weight, bias)
    return result
