"""The cycles of the calendar: the day, the week and the year, and the place of times in them."""

import math

import numpy as np
import torch
from torch import Tensor

YEAR = 365.2425
"""Days of an average year."""
CYCLES = {"day": 1.0, "week": 7.0, "year": YEAR}
"""Days of each cycle of the calendar."""
THURSDAY = 3
"""1970 began on a Thursday, and weeks begin on Monday."""
LEAST_TURNS = 2
"""A cycle is learned if the times span it at least so often."""
MOST_DATES = 1000
"""Dates that are kept to see how often weekdays occur."""
LEAST_VARIATION = {"day": 1e-6, "week": 1e-6, "year": 1e-3}
"""One minus the length of the mean direction up to which times count as being at one place of a cycle.

In the year it allows for leap days.
"""
LEAST_DIRECTION = 0.3
"""Length of an expected direction, of at most 1, from which on it says where in a cycle a time is expected."""


class CyclesSeen:
    """Finds out which cycles of the calendar times repeat, piece by piece.

    Examples
    --------
    >>> seen = CyclesSeen()
    >>> seen.look(np.arange(100) * 6, per_day=24)  # every six hours
    >>> seen.repeated(span=24.75)
    ('day', 'week')
    """

    def __init__(self) -> None:
        self.count = 0
        self.directions = dict.fromkeys(CYCLES, 0j)
        self.dates: set[int] = set()

    def look(self, ticks: np.ndarray, per_day: int) -> None:
        """Add times (n,), in ticks since 1970 of which a day has `per_day`."""
        days, rest = np.divmod(ticks, per_day)
        self.count += len(ticks)
        if len(self.dates) < MOST_DATES:
            self.dates.update(np.unique(days).tolist())
        # Within the week and the year whole days count: the time of day is the business of the day.
        for cycle, within in (("day", rest / per_day), ("week", days + THURSDAY), ("year", days)):
            angles = 2 * math.pi * np.remainder(within, CYCLES[cycle]) / CYCLES[cycle]
            self.directions[cycle] += complex(np.cos(angles).sum(), np.sin(angles).sum())

    def repeated(self, span: float) -> tuple[str, ...]:
        """Return the cycles that times of this span, in days, go through twice, and in which they vary.

        Each weekday that occurs must be that of two dates on average: of the firsts of a few months it says nothing.
        """
        weekdays = {(int(day) + THURSDAY) % 7 for day in self.dates}
        return tuple(
            cycle
            for cycle, days in CYCLES.items()
            if span >= LEAST_TURNS * days
            and (cycle != "week" or len(self.dates) >= LEAST_TURNS * len(weekdays))
            and 1 - abs(self.directions[cycle]) / self.count > LEAST_VARIATION[cycle]
        )


def place_in(days: np.ndarray, cycle: str) -> np.ndarray:
    """Return how many days of a cycle have passed at times (n,), in days since 1970, (n,) from 0.

    >>> place_in(np.array([4.25]), "day").tolist(), place_in(np.array([4.25]), "week").tolist()
    ([0.25], [0.25])
    """
    return np.remainder(days + (THURSDAY if cycle == "week" else 0), CYCLES[cycle])


def direction(days: Tensor, cycle: str) -> Tensor:
    """Return sine and cosine of the place of times (B, 1), in days since 1970, in a cycle, (B, 2)."""
    angle = 2 * math.pi * torch.remainder(days + (THURSDAY if cycle == "week" else 0), CYCLES[cycle]) / CYCLES[cycle]
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)


def moved(days: Tensor, cycle: str, expected: Tensor) -> Tensor:
    """Move times (B,), in days since 1970, to the nearest time at the expected place in a cycle.

    Within the week and the year times are moved by whole days. A time stays if no place is expected more than others.

    Parameters
    ----------
    days
        (B,) float64.
    cycle
        "day", "week" or "year".
    expected
        (B, 2) sine and cosine, of any length.

    Examples
    --------
    >>> moved(torch.tensor([10.25, 10.25]), "day", torch.tensor([[0.0, -1.0], [0.0, 0.1]]))
    tensor([10.5000, 10.2500])
    """
    own = direction(days[:, None], cycle)
    angle = torch.atan2(expected[:, 0], expected[:, 1]) - torch.atan2(own[:, 0], own[:, 1])
    turn = torch.remainder(angle / (2 * math.pi) + 0.5, 1) - 0.5
    step = turn * CYCLES[cycle]
    step = step if cycle == "day" else step.round()
    return torch.where(expected.norm(dim=1) >= LEAST_DIRECTION, days + step, days)
