"""Learning-rate schedules: the share of the peak learning rate at each point of a run."""

import math
from collections.abc import Callable

from isthmus.core.choices import refuse_unknown

Schedule = Callable[[float], float]
"""Maps the finished share of the training, in [0, 1), to a factor in [0, 1]."""


def constant(progress: float) -> float:
    """Return 1."""
    return 1.0


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float, rise: float = 0.25) -> float:
    """Rise from 1/25 to 1 in the first quarter, then fall to 0, each along half a cosine (Smith and Topin 2018)."""
    if progress < rise:
        return 1 / 25 + (1 - 1 / 25) * (1 - cosine(progress / rise))
    return cosine((progress - rise) / (1 - rise))


SCHEDULES: dict[str, Schedule] = {"constant": constant, "cosine": cosine, "one_cycle": one_cycle}
"""The schedules by name."""


def schedule(name: str) -> Schedule:
    """Return the schedule called `name`.

    Raises
    ------
    ValueError
        If there is no such schedule; the message lists the known ones.
    """
    refuse_unknown("schedule", name, SCHEDULES)
    return SCHEDULES[name]
