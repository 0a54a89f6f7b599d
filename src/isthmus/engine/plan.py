"""`Plan`: every setting of a training run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from isthmus.engine.optimisers import Adam, OptimiserPart


@dataclass
class Plan:
    """The settings of a training run.

    Parameters
    ----------
    epochs
        Passes over the training rows.
    batch_size
        Upper limit of rows per training step. An epoch is cut into batches of equal size (give or take one row), so
        that no small remainder is left over or dropped.
    learning_rate
        Peak learning rate of the schedule.
    schedule
        "constant", "cosine" or "one_cycle".
    optimiser
        The part that builds the optimiser.
    patience
        Epochs without a better validation loss after which training stops; None trains to the end.
    precision
        As in `Compute`.
    open_ended
        Whether more rows will follow (`partial_fit`), so that the finished share of the training is unknown.
    threads
        Thread counts to choose from, ascending; empty keeps torch's setting.
    repeatable
        Whether a trial may only choose between settings that round numbers the same way.
    compile
        Whether `torch.compile` compiles encoder and decoder.
    cuda_graph
        Whether steps on a CUDA GPU are recorded as a graph and replayed.
    matmul
        The library that multiplies matrices in fused steps: "torch", "numpy", or "auto" for the faster one.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str = "cosine"
    optimiser: OptimiserPart = field(default_factory=Adam)
    patience: int | None = None
    precision: str = "float32"
    open_ended: bool = False
    threads: Sequence[int] = ()
    repeatable: bool = True
    compile: bool = False
    cuda_graph: bool = True
    matmul: str = "auto"

    def batches(self, rows: int) -> int:
        """Return the number of steps per epoch for that many training rows."""
        return max(1, math.ceil(rows / self.batch_size))

    def largest_batch(self, rows: int) -> int:
        """Return the number of rows in the largest batch of an epoch over that many training rows."""
        return math.ceil(rows / self.batches(rows))
