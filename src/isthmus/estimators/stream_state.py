"""`StreamState`: what a model must remember of a stream to go on with it."""

from dataclasses import dataclass

import torch

from isthmus.data.stream_components import StreamComponents
from isthmus.data.stream_moments import StreamMoments


SLOWEST, FASTER = 1 / 32, 2.0
"""The least factor of the learning rate, and by how much a chunk that went well raises it."""


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
    """

    moments: StreamMoments
    follows: bool
    components: StreamComponents | None = None
    optimiser: torch.optim.Optimizer | None = None
    pace: float = 1.0

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
