"""`RecordedStep`: on a CUDA GPU, a whole step recorded as a graph and replayed by one launch in place of dozens."""

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Generator, Tensor

WARM_UP_STEPS = 3
"""Steps of each size that are taken as usual before one is recorded, in which libraries allocate their memory."""


class Recording(Protocol):
    """A recorded function without arguments, whose inputs and outputs stay where they are in memory."""

    result: Tensor

    def replay(self) -> None:
        """Do again what was recorded, with the current contents of memory."""


class CudaRecording:
    """A CUDA graph.

    Parameters
    ----------
    function
        What is recorded.
    generators
        The generators that it draws from.
    """

    def __init__(self, function: Callable[[], Tensor], generators: Iterable[Generator]) -> None:
        self.graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph):
            self.result = function()

    def replay(self) -> None:
        """Launch the graph."""
        self.graph.replay()


class RecordedStep:
    """A step that is taken as usual at first, then recorded, then replayed; separately for each number of rows.

    Recording a step does not take it, so the steps taken are the same as without recording.

    Parameters
    ----------
    step
        Maps rows (B, F) to a number. Everything else that it reads and writes must stay where it is in memory, and
        nothing in it may depend on a changing number in the processor's memory.
    record
        Returns a `Recording` of a function and the generators that it draws from.
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
            if self.taken[rows] <= WARM_UP_STEPS:
                return on_side_stream(self.step, x)
            given = self.inputs[rows] = x.clone()
            self.recordings[rows] = self.record(lambda: self.step(given), tuple(generators))
        self.inputs[rows].copy_(x)
        recording = self.recordings[rows]
        recording.replay()
        # The next replay overwrites the result.
        return recording.result.clone()


def on_side_stream(step: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Take a step on a stream beside the usual one, as a recording will, where there are streams."""
    if x.device.type != "cuda":
        return step(x)
    usual, side = torch.cuda.current_stream(x.device), torch.cuda.Stream(x.device)
    side.wait_stream(usual)
    with torch.cuda.stream(side):
        result = step(x)
    usual.wait_stream(side)
    return result
