"""`Compute`: on which device, in which precision and with how many threads a model is trained and used."""

from dataclasses import dataclass

import torch

from isthmus.core.contract import Part
from isthmus.engine import devices


@dataclass
class Compute(Part):
    """Where and how the arithmetic is done. Every default is chosen by rule or by a short trial on this machine.

    Parameters
    ----------
    device : str
        "cpu", "cuda", "cuda:1" or "mps". "auto" takes a CUDA GPU if there is one, else Apple's, else the processor.
    precision : {"auto", "float32", "float64", "bfloat16"}
        "auto": float64 for float64 tables of at most 50,000 cells, where it costs next to nothing; else float32, with
        the matrix products of training in bfloat16 where a trial finds them faster, the loss of the same weights is
        the same, and the loss keeps falling (dense networks without penalties, from 80 million operations per step).
        "bfloat16": products in bfloat16, weights in float32. The fitted model always computes in float32 or float64.
    threads : int, "auto" or None
        Processor threads while fitting and predicting; torch's own setting is restored afterwards. "auto": the number
        that a trial finds fastest for a training step, tried again when steps slow down; with a `random_state`, only
        numbers that give the same gradient bit for bit. One thread for steps below 30 million operations. None: torch's
        own setting.
    compile : bool
        Whether to compile encoder and decoder with `torch.compile`. Needs a C++ compiler, takes half a minute and uses
        autograd in place of the fused backward pass; no gain was measured on a processor.
    matmul : {"auto", "torch", "numpy"}
        Which library multiplies matrices in training on the processor, where the fused backward pass is used: torch
        (usually MKL) or, for single-threaded steps, numpy (usually OpenBLAS). "auto" takes numpy where a measurement,
        made once per process, finds it at least 5 % faster, as on most processors that are not Intel's.
    cuda_graph : bool
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
        """The device; a `ValueError` if this machine does not have it."""
        return devices.device(self.device)


def compute(given: "str | Compute") -> Compute:
    """Return the settings that a user means: a `Compute`, or the device of that name with everything else automatic.

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
