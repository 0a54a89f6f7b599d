"""What the processor can do, where a choice that rounds must not depend on a clock."""

import functools
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux tells the maker and the instructions of the processor; elsewhere nothing is known of them."""
FIRST_WITH_BFLOAT16 = 8
"""Compute capability from which CUDA GPUs multiply in bfloat16."""


@functools.cache
def told() -> dict[str, str]:
    """Return what the system tells of the first processor, such as `vendor_id` and `flags`."""
    try:
        first = CPUINFO.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in first.splitlines())
    return {name.strip(): value.strip() for name, value in pairs}


def multiplies_bfloat16(on: torch.device) -> bool:
    """Whether a device has instructions that multiply matrices in bfloat16."""
    if on.type == "cuda":
        return torch.cuda.get_device_capability(on)[0] >= FIRST_WITH_BFLOAT16
    return on.type == "cpu" and not {"avx512_bf16", "amx_bf16"}.isdisjoint(told().get("flags", "").split())


def is_zen_5() -> bool:
    """Whether the processor is one of AMD's that computes with 512 bits at once (Zen 5), which MKL does not use.

    Zen 5 is the first of AMD's with the instructions `avx512_vp2intersect`.
    """
    return told().get("vendor_id") == "AuthenticAMD" and "avx512_vp2intersect" in told().get("flags", "").split()
