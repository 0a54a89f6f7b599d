"""`MixedLoss`: the loss kernel of a table of several kinds of columns.

Arrays of numpy hold the cells column by column, so that every family works on one stretch of memory. Its functions take
about a third of the time of torch's on arrays of a few thousand numbers, where most of the time goes to the calls.
"""

import numpy as np
import torch
from torch import Tensor

from isthmus.engine.fast.buffers import Buffer
from isthmus.engine.fast.loss_kernel import LossKernel, follow
from isthmus.engine.fast.matmul import Operand
from isthmus.parts.likelihoods import LOG_2_PI
from isthmus.parts.mixed_likelihood import FLOOR, FOLLOWING, LEAST_COLUMNS, MixedLikelihood, loss_ratio


class MixedLoss(LossKernel):
    """½ Σ u/s + log 2πs over the columns that are there, s the batch's mean of u; see `MixedLikelihood.loss`.

    Parameters
    ----------
    likelihood
        The likelihood, whose loss ratio is updated.
    """

    weighs_cells = True
    on_any_device = False

    def __init__(self, likelihood: MixedLikelihood) -> None:
        self.likelihood = likelihood
        self.first = likelihood.first.cpu().numpy()
        self.weight = 2 * likelihood.column_weight.cpu().numpy()[:, None]
        self.middle, self.centre, self.gain = (
            of.cpu().numpy() for of in (likelihood.middle, likelihood.centre, likelihood.gain)
        )
        self.cells = likelihood.stretches[0]

    def encoder_input(self, x: Tensor) -> Tensor:
        """Return centred cells and 1 for every missing column, (B, F + columns), as the likelihood does."""
        rows, features = x.shape
        values = x.numpy()
        missing = np.isnan(values)
        seen = np.empty((rows, features + len(self.first)), dtype=values.dtype)
        cells, flags = seen[:, :features], seen[:, features:]
        cells[:] = values
        np.copyto(cells, self.middle, where=missing, casting="same_kind")
        for family, place in zip(self.likelihood.members(), self.cells, strict=True):
            filled = torch.from_numpy(cells[:, place])
            transformed = family.encoder_input(filled)
            if transformed is not filled:
                filled.copy_(transformed)
        cells -= self.centre
        cells *= self.gain
        np.copyto(cells, 0, where=missing)
        flags[:] = missing.take(self.first, 1)
        return torch.from_numpy(seen)

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the mean of Σ u and the mean number of columns, (2,), and the mean loss's gradient in θ (B, P)."""
        rows, outputs = len(x), columns_of(theta.matrix)
        filled, there = self.likelihood.filled_columns(columns_of(x))
        weight = np.multiply(there, self.weight, dtype=filled.dtype, casting="same_kind")
        if cells is None:
            columns = float(np.count_nonzero(there.take(self.first, 0))) / rows
        else:
            counted = columns_of(cells)
            weight *= counted
            columns = float(np.vdot(there.take(self.first, 0), counted.take(self.first, 0))) / rows
        losses, gradient = np.empty_like(filled), np.empty_like(outputs)
        self.likelihood.family_losses(filled, outputs, weight, losses, gradient)
        total = float(np.vdot(losses, weight)) / rows
        ratio = max(total / max(columns, LEAST_COLUMNS), FLOOR)
        # The derivative of ½ Σu/s; s is held fixed.
        np.multiply(gradient.T, 0.5 / (rows * ratio), out=spare.matrix.numpy())
        return torch.from_numpy(np.array([total, columns], dtype=filled.dtype)), spare

    def losses(self, values: Tensor) -> Tensor:
        """Return the mean loss of each batch, (batches,), from what the calls returned, (batches, 2)."""
        total, columns = values.unbind(1)
        ratios = loss_ratio(total, columns)
        return 0.5 * (total / ratios + columns * (torch.log(ratios) + LOG_2_PI))

    def update_likelihood(self, values: Tensor) -> None:
        """Move the loss ratio to where `MixedLikelihood.loss` would have moved it, batch after batch."""
        follow(self.likelihood.loss_ratio, loss_ratio(*values.unbind(1)), FOLLOWING)


def columns_of(matrix: Tensor) -> np.ndarray:
    """Return a matrix (B, F) as an array (F, B)."""
    return np.ascontiguousarray(matrix.numpy().T)
