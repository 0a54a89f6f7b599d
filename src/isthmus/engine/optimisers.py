"""Optimisers, fused where the device has it: one kernel a step instead of a dozen a weight matrix."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

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


def optimiser(given: Any) -> Adam:
    """Return the optimiser that a user means: "adam", "adamw" (weight decay 0.01) or an `Adam` of their own."""
    if isinstance(given, Adam):
        return given
    known = {"adam": Adam(), "adamw": Adam(weight_decay=0.01)}
    refuse_unknown("optimizer", given, known)
    return known[given]
