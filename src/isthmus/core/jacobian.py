"""The squared Frobenius norm ‖∂z/∂x‖² of a map from rows to codes: in closed form, exactly, or estimated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn

from isthmus.core.modules import Dropout

Map = Callable[[Tensor], Tensor]


def one_layer(derivatives: Tensor, weight: Tensor) -> Tensor:
    """Return Σⱼ a'(hⱼ)² Σᵢ Wⱼᵢ² for z = a(Wx + b), h = Wx + b, (B,) (Rifai et al. 2011, equation 4).

    Parameters
    ----------
    derivatives
        a'(h), (B, K).
    weight
        W, (K, F).
    """
    return derivatives.square() @ weight.square().sum(1)


def exact(function: Map, x: Tensor) -> Tensor:
    """Return the squared Frobenius norm of the Jacobian of `function` at each row of x (B, F), (B,), by K gradients."""
    x, z = traced(function, x)
    directions = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    directions = directions[:, None].expand(-1, len(z), -1)
    (rows,) = torch.autograd.grad(z, x, directions, create_graph=True, is_grads_batched=True)
    squares: Tensor = rows.square().sum((0, 2))
    return squares


def hutchinson(function: Map, x: Tensor, samples: int, generator: Generator | None) -> Tensor:
    """Estimate ‖J‖² at each row of x (B, F) without bias, (B,): the mean of ‖Jᵀv‖² over random sign vectors v.

    `samples` is the number of vectors (Hutchinson 1990).
    """
    x, z = traced(function, x)
    total = torch.zeros_like(z[:, 0])
    for _ in range(samples):
        signs = torch.empty_like(z).bernoulli_(0.5, generator=generator) * 2 - 1
        (projected,) = torch.autograd.grad(z, x, signs, create_graph=True)
        total = total + projected.square().sum(1)
    return total / samples


def traced(function: Map, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows x (B, F) as a leaf of a new graph, and their codes (B, K)."""
    x = x.detach().requires_grad_()
    return x, function(x)


@contextmanager
def rows_apart(encoder: nn.Module) -> Iterator[None]:
    """Make the code of each row independent of other rows: batch normalisation uses running statistics, dropout is off.

    With the statistics of the batch, the Jacobian of a row would be mixed with its effect on the codes of other rows.
    """
    kinds = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, Dropout)
    training = [module for module in encoder.modules() if isinstance(module, kinds) and module.training]
    for module in training:
        module.eval()
    try:
        yield
    finally:
        for module in training:
            module.train()
