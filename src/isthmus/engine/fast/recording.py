"""`Recorded`: on a GPU, a whole step recorded as a graph and replayed by one launch in place of dozens."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import Generator, Tensor

PRACTICE = 3
"""Steps of every size that are taken as usual before one is recorded: libraries make room for themselves in them."""


class Recording(Protocol):
    """A recorded function of no arguments, whose inputs and outputs stay where they are in memory."""

    result: Tensor

    def replay(self) -> None:
        """Do again what was recorded, with what is in memory now."""


class CudaRecording:
    """A CUDA graph."""

    def __init__(self, function: Callable[[], Tensor], generators: Iterable[Generator]) -> None:
        self.graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph):
            self.result = function()

    def replay(self) -> None:
        """Launch the graph."""
        self.graph.replay()


class Recorded:
    """A step that is taken as usual at first, then recorded, then replayed; for each number of rows by itself.

    Recording a step does not take it, so that the steps taken are the same as without.

    Parameters
    ----------
    step
        Rows (B, F) to a number; everything else that it reads and writes has to stay where it is in memory, and
        nothing in it may depend on a number on the processor that changes.
    record
        Makes a `Recording` of a function and the generators it draws from.
    """

    def __init__(self, step: Callable[[Tensor], Tensor], record: Callable[..., Recording] = CudaRecording) -> None:
        self.step = step
        self.record = record
        self.taken: dict[int, int] = {}
        self.inputs: dict[int, Tensor] = {}
        self.recordings: dict[int, Recording] = {}

    def __call__(self, x: Tensor, generators: Iterable[Generator] = ()) -> Tensor:
        """Take the step on x (B, F)."""
        rows = len(x)
        if rows not in self.recordings:
            self.taken[rows] = self.taken.get(rows, 0) + 1
            if self.taken[rows] <= PRACTICE:
                return beside(self.step, x)
            given = self.inputs[rows] = x.clone()
            self.recordings[rows] = self.record(lambda: self.step(given), tuple(generators))
        self.inputs[rows].copy_(x)
        recording = self.recordings[rows]
        recording.replay()
        # The next replay writes over it.
        return recording.result.clone()


def beside(step: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Take a step on a stream beside the usual one, as recording will, where there are streams."""
    if x.device.type != "cuda":
        return step(x)
    usual, other = torch.cuda.current_stream(x.device), torch.cuda.Stream(x.device)
    other.wait_stream(usual)
    with torch.cuda.stream(other):
        result: Any = step(x)
    usual.wait_stream(other)
    return result
