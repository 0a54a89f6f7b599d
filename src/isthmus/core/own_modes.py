"""Whatever the caller has set for torch, isthmus computes in the same modes; the caller's are put back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from isthmus.core.shared_settings import SharedSetting

CPU = torch.device("cpu")
KINDS = ("cpu", "cuda", "mps")
"""Kinds of devices that can have an autocast of the caller's."""

NUMBER_TYPE = SharedSetting(torch.get_default_dtype, torch.set_default_dtype, lambda _: torch.float32)
"""The number type of tensors for which none is named: one for the process, unlike the other modes."""


@contextmanager
def own_modes() -> Iterator[None]:
    """Compute with gradients where they are asked for, without autocast, on the processor and in float32 by default.

    In `torch.no_grad()` or `torch.inference_mode()` nothing could be trained; under `torch.autocast`, another default
    device or number type, results would be others.
    """
    with ExitStack() as modes:
        if torch.is_inference_mode_enabled():
            modes.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            modes.enter_context(torch.enable_grad())
        for kind in KINDS:
            if torch.is_autocast_enabled(kind):
                modes.enter_context(torch.autocast(kind, enabled=False))
        # Only where it is another one: every call of torch takes longer under a default device.
        if torch.get_default_device() != CPU:
            modes.enter_context(CPU)
        # Held by all, so that a thread which finds float32 does not lose it to one that ends.
        modes.enter_context(NUMBER_TYPE.held())
        yield
