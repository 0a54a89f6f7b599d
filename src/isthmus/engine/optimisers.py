"""Optimisers: the part `Adam`, the contract of such parts, and Adam over all weights in one vector."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from isthmus.core.choices import unknown
from isthmus.core.contract import Part
from isthmus.core.registry import parts, register


@runtime_checkable
class OptimiserPart(Protocol):
    """What fills the slot `optimizer`: a part that builds an optimiser for given weights."""

    def build(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        """Return the optimiser of these weights."""
        ...


@register("optimizer")
@dataclass
class Adam(Part):
    """Adam (Kingma and Ba 2015); with weight decay it is AdamW (Loshchilov and Hutter 2019).

    On the processor and on CUDA all weights are updated by one fused kernel per step.

    Parameters
    ----------
    betas : tuple of two floats, default=(0.9, 0.999)
        Decay rates of the running means of the gradient and of its square, each in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the mean squared gradient. It matters where gradients are small: a loss that is the mean
        over F pixels, as in many notebooks, with 1e-8 trains like the sum over F pixels, as here, with F · 1e-8.
    weight_decay : float, default=0
        Share of each weight that a step removes, times the learning rate (decoupled weight decay).

    References
    ----------
    D. Kingma and J. Ba. Adam: a method for stochastic optimization. ICLR 2015.
    I. Loshchilov and F. Hutter. Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> from isthmus import Adam, AutoEncoder
    >>> AutoEncoder(latent=8, optimizer=Adam(weight_decay=0.01)).get_params()["optimizer__weight_decay"]
    0.01
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        """Return the optimiser of these weights."""
        return torch.optim.AdamW(
            parameters,
            lr=learning_rate,
            betas=self.betas,
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            fused=True,
        )


class FlatAdam:
    """The optimiser that `Adam.build` returns, for all weights in one vector and with the same arithmetic.

    It needs no visit to each weight matrix, and nothing of `torch.optim`, whose first optimiser takes a second to
    import.

    Parameters
    ----------
    vector
        (P,) all weights.
    gradient
        (P,) where their gradient is written.
    settings
        The hyper-parameters.
    learning_rate
        The first learning rate.
    """

    def __init__(self, vector: Tensor, gradient: Tensor, settings: Adam, learning_rate: float) -> None:
        self.vector, self.gradient = vector, gradient
        self.settings = settings
        self.param_groups: list[dict[str, float]] = [{"lr": learning_rate}]
        self.state: dict[str, Tensor] = {}
        self.rate_on_device: Tensor | None = None

    def keep_rate_on_device(self, learning_rate: float) -> None:
        """Write the learning rate to the device's memory, where a recorded step reads the current one."""
        if self.rate_on_device is None:
            self.rate_on_device = torch.zeros((), dtype=torch.float32, device=self.vector.device)
        self.rate_on_device.fill_(learning_rate)

    def step(self) -> None:
        """Take one step along the current gradient."""
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
            lr=self.param_groups[0]["lr"] if self.rate_on_device is None else self.rate_on_device,
            beta1=beta1,
            beta2=beta2,
            weight_decay=self.settings.weight_decay,
            eps=self.settings.epsilon,
            maximize=False,
        )


def optimiser(given: object) -> OptimiserPart:
    """Return the optimiser part that a user means.

    Parameters
    ----------
    given
        "adam", "adamw" (Adam with a weight decay of 0.01), the name of a registered optimiser, or an object with a
        method ``build(parameters, learning_rate)`` that returns a `torch.optim.Optimizer`.

    Raises
    ------
    ValueError
        If `given` is none of these.
    """
    registered = parts("optimizer")
    if given == "adamw":
        return Adam(weight_decay=0.01)
    if isinstance(given, str) and given in registered:
        given = registered[given]()
    if isinstance(given, OptimiserPart) and not isinstance(given, type):
        return given
    names = unknown("optimizer", given, dict.fromkeys(["adam", "adamw", *registered]))
    raise ValueError(f"{names}, or an object with build(parameters, learning_rate)")
