"""Activations and their derivatives, computed in existing memory."""

from collections.abc import Callable

import torch
from torch import Tensor

aten = torch.ops.aten
FUNCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": lambda x, out: x,
    "relu": lambda x, out: torch.clamp_min(x, 0, out=x),
    "silu": lambda x, out: aten.silu.out(x, out=out),
    "gelu": lambda x, out: aten.gelu.out(x, out=out),
    "softplus": lambda x, out: aten.softplus.out(x, out=out),
    "elu": lambda x, out: aten.elu.out(x, out=x),
    "tanh": lambda x, out: torch.tanh(x, out=x),
    "sigmoid": lambda x, out: torch.sigmoid(x, out=x),
}
"""Each activation by name: (x, out) to the result, which is `out` for those in `KEEP_INPUT`, else x overwritten."""
KEEP_INPUT = ("silu", "gelu", "softplus")
"""Activations whose derivative is computed from their input, which must therefore survive."""
DERIVATIVES: dict[str, Callable[[Tensor, Tensor, Tensor], object]] = {
    "identity": lambda gradient, before, after: None,
    "relu": lambda gradient, before, after: aten.threshold_backward.grad_input(gradient, after, 0, grad_input=gradient),
    "silu": lambda gradient, before, after: aten.silu_backward.grad_input(gradient, before, grad_input=gradient),
    "gelu": lambda gradient, before, after: aten.gelu_backward.grad_input(gradient, before, grad_input=gradient),
    "softplus": lambda gradient, before, after: aten.softplus_backward.grad_input(
        gradient, before, 1, 20, grad_input=gradient
    ),
    "elu": lambda gradient, before, after: aten.elu_backward.grad_input(
        gradient, 1, 1, 1, True, after, grad_input=gradient
    ),
    "tanh": lambda gradient, before, after: aten.tanh_backward.grad_input(gradient, after, grad_input=gradient),
    "sigmoid": lambda gradient, before, after: aten.sigmoid_backward.grad_input(gradient, after, grad_input=gradient),
}
"""Each activation's chain rule by name: turns the gradient after it, in place, into the gradient before it.

The arguments are the gradient, and the values before and after the activation.
"""
