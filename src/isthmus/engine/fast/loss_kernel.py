"""`LossKernel`: what training minimises over a batch, and its gradient in the decoder's outputs, in existing memory."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from isthmus.engine.fast.buffers import Buffer
from isthmus.engine.fast.matmul import Operand


class LossKernel(Protocol):
    """The loss of one likelihood; B rows, F features, P decoder outputs."""

    encoder_input: Callable[[Tensor], Tensor] | None = None
    """What the likelihood's `encoder_input` does, if the kernel does it faster."""
    weighs_cells: bool = False
    """Whether calls take weights of cells."""
    on_any_device: bool = True
    """Whether calls take rows on other devices than the processor."""

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the numbers from which `losses` computes the mean loss, and the gradient of the mean loss in θ (B, P).

        Both buffers may be overwritten: the decoder's outputs `theta`, and `spare`. `cells` (B, F) are the weights of
        cells in the loss, if these are weighed.
        """
        ...

    def losses(self, values: Tensor) -> Tensor:
        """Return the mean loss of each batch, (batches,), from the numbers that the calls returned, (batches, ...)."""
        return values

    def update_likelihood(self, values: Tensor) -> None:
        """Update the likelihood's statistics from the numbers that the calls returned, (batches, ...)."""
        return


def follow(stored: Tensor, values: Tensor, share: float) -> None:
    """Move a running mean, in place, as one `lerp_` by `share` for each of the values (n,) would have moved it."""
    ages = torch.arange(len(values) - 1, -1, -1).to(stored)
    stored.mul_((1 - share) ** len(values)).add_(share * (1 - share) ** ages @ values.to(stored))
