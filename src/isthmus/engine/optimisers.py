"""Optimisers, fused where the device has it: one kernel a step instead of a dozen a weight matrix."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part


@dataclass
class Adam(Part):
    """Adam (Kingma and Ba 2015), with decoupled weight decay (AdamW, Loshchilov and Hutter 2019) if there is any.

    Parameters
    ----------
    betas : tuple of two floats
        Decay rates of the running mean of the gradient and of its square, in [0, 1).
    epsilon : float
        Added to the root of the squared gradient. It is felt where gradients are small: a loss that is a mean over F
        pixels, as many notebooks have it, with 1e-8 is a loss that is a sum over them, as here, with F·1e-8.
    weight_decay : float
        Share of each weight taken away a step, times the learning rate.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        """Return the optimiser of these parameters."""
        return torch.optim.AdamW(
            parameters,
            lr=learning_rate,
            betas=self.betas,
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            fused=True,
        )


class FlatAdam:
    """What `Adam.build` returns, for all weights in one vector, and with the same arithmetic.

    It visits no weight matrix by itself, and needs none of `torch.optim`, whose first optimiser imports for a second.
    """

    def __init__(self, vector: Tensor, gradient: Tensor, settings: Adam, learning_rate: float) -> None:
        self.vector, self.gradient = vector, gradient
        self.settings = settings
        self.param_groups: list[dict[str, Any]] = [{"lr": learning_rate}]
        self.state: dict[str, Tensor] = {}
        self.held: Tensor | None = None

    def hold(self, learning_rate: float) -> None:
        """Keep the learning rate in the device's memory, where a recorded step finds the one of its turn."""
        if self.held is None:
            self.held = torch.zeros((), dtype=torch.float32, device=self.vector.device)
        self.held.fill_(learning_rate)

    def step(self) -> None:
        """Take one step along the gradient as it is now."""
        if not self.state:
            self.state["mean"], self.state["square"] = torch.zeros_like(self.vector), torch.zeros_like(self.vector)
            self.state["step"] = torch.zeros((), device=self.vector.device)
        self.state["step"] += 1
        beta1, beta2 = self.settings.betas
        torch._fused_adamw_(
            [self.vector],
            [self.gradient],
            [self.state["mean"]],
            [self.state["square"]],
            [],
            [self.state["step"]],
            amsgrad=False,
            lr=self.param_groups[0]["lr"] if self.held is None else self.held,
            beta1=beta1,
            beta2=beta2,
            weight_decay=self.settings.weight_decay,
            eps=self.settings.epsilon,
            maximize=False,
        )


def optimiser(given: Any) -> Adam:
    """Return the optimiser that a user means: "adam", "adamw" (weight decay 0.01) or an `Adam` of their own."""
    if isinstance(given, Adam):
        return given
    known = {"adam": Adam(), "adamw": Adam(weight_decay=0.01)}
    refuse_unknown("optimizer", given, known)
    return known[given]
