"""Whether products in bfloat16 are worth it: where they are faster, and lead to the same."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from isthmus.engine.devices import threads, wait
from isthmus.engine.steps import WrittenOutSteps

LEAST_OPERATIONS = 8e7
"""In a shorter step turning numbers into halves costs what the products save."""
GAIN = 1.15
"""How many times faster steps have to be."""
AGREEMENT = 0.01
"""Nats a value by which the loss of the same weights may differ: 2 % of a mean squared error."""
TRIES = 5

FOUND: dict[tuple[object, ...], float] = {}
"""What was measured in this process, so that the same network gets the same answer in all of it."""


def choose(steps: WrittenOutSteps, x: Tensor, operations: float, judge: Callable[[str], float]) -> tuple[str, str]:
    """Return "bfloat16", where it is faster and the loss of the same weights is the same, else "float32"; and why.

    Parameters
    ----------
    steps
        In float32.
    x
        A batch (B, F).
    operations
        Of a step.
    judge
        The loss of the weights as they are, with products in the precision of that name.
    """
    stay = str(x.dtype).removeprefix("torch.")
    if x.dtype != torch.float32 or x.device.type not in ("cpu", "cuda") or operations < LEAST_OPERATIONS:
        return "float32", stay
    shapes = tuple(parameter.shape for parameter in steps.written.parameters)
    times = gain((shapes, len(x), str(x.device)), steps, x)
    if times < GAIN:
        return "float32", f"{stay} (with bfloat16 products {times:.2g} times as fast)"
    losses = [judge(name) for name in ("float32", "bfloat16")]
    if not abs(losses[0] - losses[1]) <= AGREEMENT * x.shape[1]:
        return "float32", f"{stay} (with bfloat16 products the loss would be {losses[1]:.6g}, not {losses[0]:.6g})"
    return "bfloat16", f"bfloat16 products ({times:.2g} times as fast), float32 weights"


def gain(key: tuple[object, ...], steps: WrittenOutSteps, x: Tensor) -> float:
    """Return how many times faster a step is with products in bfloat16: fastest against fastest, on one thread."""
    if key not in FOUND:
        fastest = {"float32": float("inf"), "bfloat16": float("inf")}
        rehearse = steps.rehearsal(x, None)
        with threads(1):
            for turn in range(TRIES + 1):
                for name in fastest:
                    steps.change_precision(name)
                    start = time.perf_counter()
                    rehearse()
                    wait(x.device)
                    if turn:  # the first one makes room
                        fastest[name] = min(fastest[name], time.perf_counter() - start)
        steps.change_precision("float32")
        FOUND[key] = fastest["float32"] / fastest["bfloat16"]
    return FOUND[key]
