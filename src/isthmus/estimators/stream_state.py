"""`StreamState`: what a model must remember of a stream to go on with it."""

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from isthmus.core.network import Network
from isthmus.data.stream_components import StreamComponents
from isthmus.data.stream_moments import StreamMoments
from isthmus.engine.optimisers import OptimiserPart

SLOWEST, FASTER = 1 / 32, 2.0
"""The least factor of the learning rate, and by how much a chunk that went well raises it."""
UNSETTLED, EVERY = 16, 4
"""Chunks after a change in each of which a network is compared with its floor, and how often it is later."""


class OptimiserMemory(NamedTuple):
    """What an optimiser remembers of past steps, as its `state_dict` has it."""

    groups: list[dict[str, Any]]
    """Its settings, by group of parameters."""
    states: dict[int, dict[str, Any]]
    """Tensors and numbers by name, for each parameter by its number."""


@dataclass
class StreamState:
    """What a model remembers of the rows it was trained on, to be trained on more; changed by every chunk.

    Parameters
    ----------
    moments : StreamMoments
        Mean and variance of the columns.
    follows : bool
        Whether the units of the columns follow these.
    components : StreamComponents or None
        Principal components of the chunks, where a start at them is the floor of the training.
    optimiser : torch.optim.Optimizer or None
        The optimiser to go on with.
    pace : float
        Factor of the learning rate, at most 1: smaller where steps have led to a network that PCA beats.
    memory : OptimiserMemory or None
        What an optimiser remembered when the model was saved, until there is an optimiser.
    lost : bool
        Whether the model was trained chunk by chunk and saved without the memory of its optimiser.
    settled : int
        Chunks since a column last changed.
    """

    moments: StreamMoments
    follows: bool
    components: StreamComponents | None = None
    optimiser: torch.optim.Optimizer | None = None
    pace: float = 1.0
    memory: OptimiserMemory | None = None
    lost: bool = False
    settled: int = 0

    @property
    def remembered(self) -> OptimiserMemory | None:
        """What the optimiser remembers; None if there was none."""
        if self.optimiser is None:
            return self.memory
        state = self.optimiser.state_dict()
        return OptimiserMemory(state["param_groups"], state["state"])

    def wake(self, part: OptimiserPart, network: Network, learning_rate: float) -> None:
        """Build the optimiser that a loaded model goes on with; warn once if its memory was not saved."""
        if self.memory is not None:
            refuse_other_memory(self.memory, part, network, learning_rate)
            self.optimiser = part.build(network.parameters(), learning_rate)
            self.optimiser.load_state_dict({"param_groups": self.memory.groups, "state": self.memory.states})
            self.memory = None
        if self.lost:
            self.lost = False
            warnings.warn(
                "this model was saved without the memory of its optimiser, so partial_fit goes on with a new one, and "
                "not as the unsaved model would; save(path) keeps that memory, save(path, resume=False) does not",
                UserWarning,
                stacklevel=5,
            )

    def count(self, changed: bool) -> None:
        """Count a chunk, which has changed a column or not."""
        self.settled = 0 if changed else self.settled + 1

    @property
    def is_due(self) -> bool:
        """Whether the network is to be compared with its floor: always after a change, later now and then."""
        return self.settled <= UNSETTLED or self.settled % EVERY == 0

    def slow_down(self) -> None:
        """Take shorter steps from a start at PCA: the optimiser forgets where it was going, not how steep it was."""
        self.pace = max(self.pace / 2, SLOWEST)
        states = [] if self.optimiser is None else self.optimiser.state.values()
        if all("exp_avg" in state for state in states):
            for state in states:
                state["exp_avg"].zero_()
        else:
            self.optimiser = None

    def speed_up(self) -> None:
        """Take longer steps again."""
        self.pace = min(FASTER * self.pace, 1.0)


def refuse_other_memory(memory: OptimiserMemory, part: OptimiserPart, network: Network, learning_rate: float) -> None:
    """Raise a `ValueError` if a saved memory is not that of such an optimiser of such a network.

    An optimiser of a copy of the network shows what it remembers after a step. (Its kernels do not look at the sizes of
    what they are given.)
    """
    copies = [nn.Parameter(weight.detach().clone()) for weight in network.parameters()]
    tried = part.build(copies, learning_rate)
    for copy in copies:
        copy.grad = torch.zeros_like(copy)
    try:
        tried.step()
    except TypeError:  # it wants a closure that computes the loss
        tried.step(lambda: 0.0)
    own = tried.state_dict()
    settings = own["param_groups"]
    same = len(settings) == len(memory.groups) and all(
        alike(group, saved) and group["params"] == list(saved["params"])
        for group, saved in zip(settings, memory.groups, strict=True)
    )
    if not same or not all(alike(own["state"].get(n, {}), saved) for n, saved in memory.states.items()):
        raise ValueError(
            "what the saved model remembers of its optimiser is not what such an optimiser remembers of such a "
            "network; the model file was changed, or `optimizer` was: save(path, resume=False) leaves it out"
        )


def alike(own: object, saved: object) -> bool:
    """Whether a saved value is like one's own: of the same type and, for tensors, of the same size."""
    if isinstance(own, Tensor) and isinstance(saved, Tensor):
        return own.shape == saved.shape and own.dtype == saved.dtype and bool(saved.isfinite().all())
    if isinstance(own, Tensor) or isinstance(saved, Tensor):
        return False
    if isinstance(own, dict) and isinstance(saved, dict):
        return own.keys() == saved.keys() and all(alike(own[name], saved[name]) for name in own)
    if isinstance(own, list | tuple) and isinstance(saved, list | tuple):
        return len(own) == len(saved) and all(map(alike, own, saved))
    if isinstance(own, bool | int | float) and isinstance(saved, bool | int | float):
        return isinstance(own, bool) is isinstance(saved, bool) and abs(saved) < 1e100
    return own == saved
