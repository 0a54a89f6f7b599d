"""The choice of bfloat16 for the matrix products of training: where it is faster and the loss is the same."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from isthmus.core.torch_threads import threads
from isthmus.engine.devices import wait
from isthmus.engine.fast.processor import multiplies_bfloat16
from isthmus.engine.steps import GradientSteps

LEAST_OPERATIONS = 8e7
"""In a shorter step converting numbers to bfloat16 costs what the products save."""
GAIN = 1.15
"""How many times faster steps must be."""
AGREEMENT = 0.01
"""Nats per value by which the loss of the same weights may differ: 2 % of a mean squared error."""
TRIES = 5
LEAST_BY_RULE = {"cpu": 5e8, "cuda": 1e10}
"""Operations per step from which bfloat16 is taken without a trial, by kind of device: where it was always faster."""

FOUND: dict[tuple[object, ...], float] = {}
"""The gains measured in this process, so that the same network gets the same answer throughout."""


def choose(
    steps: GradientSteps,
    shapes: Sequence[torch.Size],
    x: Tensor,
    operations: float,
    validation_loss: Callable[[str], float],
    repeatable: bool = False,
) -> tuple[str, str]:
    """Choose the precision of the matrix products; return its name and the reason.

    Returns "bfloat16" where it is faster and the loss of the same weights is the same, else "float32".

    Parameters
    ----------
    steps
        Steps whose precision can change, now in float32.
    shapes
        The shapes of the network's weights.
    x
        A batch (B, F).
    operations
        Floating-point operations per step.
    validation_loss
        Returns the loss of the current weights with matrix products in the precision of that name.
    repeatable
        Whether the same seed must give the same bits in every process: no clock decides then, but the device and the
        length of a step.
    """
    own = str(x.dtype).removeprefix("torch.")
    if x.dtype != torch.float32 or x.device.type not in ("cpu", "cuda") or operations < LEAST_OPERATIONS:
        return "float32", own
    if repeatable:
        if operations < LEAST_BY_RULE[x.device.type] or not multiplies_bfloat16(x.device):
            return "float32", own
        why = "long steps on a device that has them"
    else:
        times = gain((tuple(shapes), len(x), str(x.device)), steps, x)
        why = f"{times:.2g} times as fast"
        if times < GAIN:
            return "float32", f"{own} (bfloat16 matrix products would be {why})"
    losses = [validation_loss(name) for name in ("float32", "bfloat16")]
    if not abs(losses[0] - losses[1]) <= AGREEMENT * x.shape[1]:
        return "float32", f"{own} (bfloat16 matrix products would change the loss {losses[0]:.6g} to {losses[1]:.6g})"
    return "bfloat16", f"bfloat16 matrix products ({why}), float32 weights"


def gain(key: tuple[object, ...], steps: GradientSteps, x: Tensor) -> float:
    """Return how many times faster a step is with bfloat16 matrix products: fastest over fastest, on one thread."""
    if key not in FOUND:
        fastest = {"float32": float("inf"), "bfloat16": float("inf")}
        dry_run = steps.dry_run(x, None)
        with threads(1):
            for turn in range(TRIES + 1):
                for name in fastest:
                    steps.change_precision(name)
                    start = time.perf_counter()
                    dry_run()
                    wait(x.device)
                    if turn:  # the first one allocates memory
                        fastest[name] = min(fastest[name], time.perf_counter() - start)
        steps.change_precision("float32")
        FOUND[key] = fastest["float32"] / fastest["bfloat16"]
    return FOUND[key]
