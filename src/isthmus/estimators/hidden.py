"""Hidden units that have stopped to work: they give every row the same value, or sit where their activation is flat."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from isthmus.core.contract import Backbone
from isthmus.core.modules import activation
from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.estimators.problem import Problem

LEAST_SPREAD = 1e-3
"""A unit whose standard deviation over rows is a smaller part of its layer's is idle."""
LEAST_DERIVATIVE = 0.02
"""A bounded activation with a smaller derivative is saturated; at 0 a sigmoid has 0.25, a tanh 1."""
BOUNDED = ("tanh", "sigmoid")
MOST_IDLE, MOST_SATURATED = 0.5, 0.5
"""Shares of the hidden units that may be idle, and of their values that may be saturated."""


@torch.no_grad()
def diagnose(network: Network, rows: Rows, index: Tensor) -> dict[str, float]:
    """Count what the hidden units of dense networks do with the rows at these positions.

    Returns
    -------
    dict
        `hidden_units`; `idle_units`, whose value is the same for every row; and for bounded activations
        `saturated_share`, the share of values where the activation is nearly flat. Empty without hidden layers.
    """
    x, _ = rows.batch(index)
    layers = hidden_values(network.encoder, network.likelihood.encoder_input(x))
    layers += hidden_values(network.decoder, network.encode(x).mean)
    if not layers:
        return {}
    idle = sum(
        int((spread <= LEAST_SPREAD * spread.mean()).sum()) for spread in (h.std(0, correction=0) for h in layers)
    )
    found = {"hidden_units": float(sum(h.shape[1] for h in layers)), "idle_units": float(idle)}
    name = network.encoder.activation_name
    if name not in BOUNDED:
        return found
    flat = [(derivative(name, h) < LEAST_DERIVATIVE).double().mean() for h in layers]
    return found | {"saturated_share": float(torch.stack(flat).max())}


def idle_units(values: Tensor) -> int:
    """Count the units of a layer (B, units) that have the same value for every row."""
    spread = values.std(0, correction=0)
    return int((spread <= LEAST_SPREAD * spread.mean()).sum())


def hidden_values(stack: Backbone, x: Tensor) -> list[Tensor]:
    """Return the values of each hidden layer of a dense network for inputs x; none of one with other layers."""
    if not stack.weights or stack.normalised or stack.weights[0].shape[1] != x.shape[1]:
        return []
    function, values = activation(stack.activation_name).function, []
    for weight, bias in list(zip(stack.weights, stack.biases, strict=True))[:-1]:
        x = function(torch.addmm(bias, x, weight.T))
        values.append(x)
    return values


def derivative(name: str, value: Tensor) -> Tensor:
    """Return the derivative of a bounded activation, from its value."""
    return 1 - value.square() if name == "tanh" else value * (1 - value)


def problems(health: Mapping[str, float]) -> Iterable[Problem]:
    """Yield the problems of hidden units that do no work."""
    units, idle = int(health.get("hidden_units", 0)), int(health.get("idle_units", 0))
    if idle > MOST_IDLE * units:
        yield Problem(
            "idle-units",
            f"{idle} of the {units} hidden units are dead: they have the same value for every row",
            "take activation='silu', init='pca', a smaller learning_rate or fewer units",
            idle,
        )
    saturated = health.get("saturated_share", 0.0)
    if saturated > MOST_SATURATED:
        yield Problem(
            "saturated-units",
            f"{100 * saturated:.0f} % of the values of a hidden layer are where its activation is flat, so that little "
            "is learned there",
            "take scale='standard', activation='silu' or a smaller learning_rate",
            saturated,
        )
