"""The squared Frobenius norm ‖∂z/∂x‖² of a map from rows to codes: in closed form, exactly, or estimated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn

from isthmus.core.modules import Dropout

Map = Callable[[Tensor], Tensor]


def of_one_layer(slopes: Tensor, weight: Tensor) -> Tensor:
    """Σⱼ a'(hⱼ)² Σᵢ Wⱼᵢ² (Rifai et al. 2011, equation 4), for z = a(Wx + b).

    Slopes (B, K) and weight (K, F) to (B,).
    """
    return slopes.square() @ weight.square().sum(1)


def exact(function: Map, x: Tensor) -> Tensor:
    """Sum the squares of all K rows of the Jacobian of `function` at each row of x (B, F): (B,)."""
    x, z = at(function, x)
    directions = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    directions = directions[:, None].expand(-1, len(z), -1)
    (rows,) = torch.autograd.grad(z, x, directions, create_graph=True, is_grads_batched=True)
    squares: Tensor = rows.square().sum((0, 2))
    return squares


def hutchinson(function: Map, x: Tensor, samples: int, generator: Generator | None) -> Tensor:
    """Estimate it without bias as the mean of ‖Jᵀv‖² over random signs v (Hutchinson 1990): (B,)."""
    x, z = at(function, x)
    total = torch.zeros_like(z[:, 0])
    for _ in range(samples):
        signs = torch.empty_like(z).bernoulli_(0.5, generator=generator) * 2 - 1
        (projected,) = torch.autograd.grad(z, x, signs, create_graph=True)
        total = total + projected.square().sum(1)
    return total / samples


def at(function: Map, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows as a leaf of a new graph, and the codes they give."""
    x = x.detach().requires_grad_()
    return x, function(x)


@contextmanager
def rows_apart(encoder: nn.Module) -> Iterator[None]:
    """Let no row's code depend on other rows meanwhile: batch normalisation by running statistics, no dropout.

    With the statistics of the batch a row's own Jacobian could not be told from its part in all the others' codes.
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
