"""`Compute`: the device, precision and threads with which a model is trained and used."""

from dataclasses import dataclass

import torch

from isthmus.core.contract import Part
from isthmus.core.registry import register
from isthmus.engine import devices


@register("compute")
@dataclass
class Compute(Part):
    """Where and how the arithmetic is done: device, precision, threads. Every default adapts to the machine.

    `AutoEncoder(compute="cuda")` is short for `AutoEncoder(compute=Compute(device="cuda"))`.

    Parameters
    ----------
    device : str, default="auto"
        "cpu", "cuda", "cuda:1" or "mps". "auto" takes a CUDA GPU if there is one, else Apple's GPU, else the processor.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Number type of the weights and of the matrix products in training.

        - "auto": float64 for float64 tables of at most 50,000 cells, where it costs next to nothing; else float32.
          With float32 weights, a trial may choose bfloat16 for the matrix products of training: dense networks without
          penalties, from 80 million operations per step, where bfloat16 is faster and gives the same loss for the same
          weights. Training returns to float32 after the first epoch without a better validation loss. With a
          `random_state` there is no trial: bfloat16 is taken from 500 million operations per step on processors with
          instructions for it, and from 10 billion on such GPUs.
        - "float32", "float64": weights and products of that type.
        - "bfloat16": weights in float32, products of training in bfloat16.

        The fitted model always computes in float32 or float64.
    threads : int, "auto" or None, default="auto"
        Processor threads while fitting and predicting, at least 1; torch's own setting is restored afterwards. "auto"
        takes one thread for steps below 30 million operations, else the number that a trial finds fastest for a
        training step; the trial is repeated when steps slow down. With a `random_state`, a trial chooses only between
        numbers that give the same gradient bit for bit. None keeps torch's own setting.
    compile : bool, default=False
        Whether to compile encoder and decoder with `torch.compile`. It needs a C++ compiler, takes half a minute, and
        uses autograd in place of the fused backward pass; no gain was measured on a processor.
    matmul : {"auto", "torch", "numpy"}, default="auto"
        The library that multiplies matrices in training on the processor, where the fused backward pass is used: torch
        (usually MKL) or, in steps on one thread, numpy (usually OpenBLAS). "auto" takes numpy if a measurement, made
        once per process, finds it at least 5 % faster. The two round differently, so with a `random_state` the kind of
        processor decides: numpy on AMD's Zen 5, torch on others.
    cuda_graph : bool, default=True
        Whether to record a training step on a CUDA GPU and replay it with one launch.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> AutoEncoder(latent=8, compute=Compute(threads=1, precision="float32")).get_params()["compute__threads"]
    1
    """

    device: str = "auto"
    precision: str = "auto"
    threads: int | str | None = "auto"
    compile: bool = False
    matmul: str = "auto"
    cuda_graph: bool = True

    @property
    def on(self) -> torch.device:
        """The device.

        Raises
        ------
        ValueError
            If the name is unknown, or if this machine does not have the device.
        """
        return devices.device(self.device)


def compute(given: str | Compute) -> Compute:
    """Return the settings that a user means: a `Compute`, or a device's name with every other setting automatic.

    Raises
    ------
    ValueError
        If `given` is neither.
    """
    if isinstance(given, Compute):
        return given
    if isinstance(given, str):
        return Compute(device=given)
    raise ValueError(
        f"compute must be 'auto', the name of a device such as 'cpu' or 'cuda', or Compute(...); got {given!r}"
    )
