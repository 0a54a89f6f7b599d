"""`Pilot`: how many threads to take steps with, found by trying, and tried again when steps slow down.

Threads wait for each other at the end of every product. On a calm machine two are faster than one from steps of about a
third of a millisecond on; where another process takes a core, two can be a hundred times slower than one.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

Rehearsal = Callable[[], Tensor]
"""Makes the gradient of a step, without consequences, and returns it."""

ROUNDS, STEPS = 3, 3
"""How often each number of threads is tried, and with how many steps each time."""
GAIN = 1.1
"""More threads have to be so many times faster."""
WINDOW, SLOW = 32, 1.5
"""Steps that are looked at together, and how many times slower than before calls for another trial."""
STARTLED = 4.0
"""The same against the trial itself, whose steps are shorter, before a window has been seen."""
RARELY = 50
"""Trials shall take no more than one part in so many of the time."""


class Pilot:
    """Sets torch's number of threads inside a ``with`` block; what it was before is put back after it.

    Parameters
    ----------
    counts
        Numbers of threads to choose from, rising; one alone is taken without trial.
    rehearsals
        Returns rehearsals of every kind of step that will be taken; the first one is timed.
    repeatable
        Whether only those numbers may be chosen that give the same gradient as the first, bit for bit.
    clock
        Seconds.
    told
        Is told of every change.
    """

    def __init__(
        self,
        counts: Sequence[int],
        rehearsals: Callable[[], Sequence[Rehearsal]],
        repeatable: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        told: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.counts = list(counts)
        self.rehearsals = rehearsals
        self.repeatable = repeatable
        self.clock = clock
        self.told = told
        self.count = self.counts[0]
        self.trials = 0
        self.cost = self.since = 0.0
        self.tried: dict[int, float] = {}

    def __enter__(self) -> Self:
        self.before = torch.get_num_threads()
        self.take(self.count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        torch.set_num_threads(self.before)

    @property
    def words(self) -> str:
        """What was chosen, and why."""
        if not self.tried:
            return str(self.count)
        times = ", ".join(f"{1e3 * seconds:.2g} ms with {count}" for count, seconds in sorted(self.tried.items()))
        again = f", tried {self.trials} times" if self.trials > 1 else ""
        return f"{self.count} ({times}{again})"

    def choose(self) -> None:
        """Try each number of threads and take the fastest; fewer, where more bring little."""
        start = self.clock()
        rehearsals = self.rehearsals()
        if self.repeatable and not self.trials:
            self.counts = self.alike(rehearsals)
        self.tried = {}
        if len(self.counts) > 1:
            self.tried = {count: statistics.median(times) for count, times in self.times(rehearsals[0]).items()}
        chosen = self.counts[0]
        for count, seconds in self.tried.items():
            if seconds * GAIN < self.tried[chosen]:
                chosen = count
        self.take(chosen)
        self.trials += 1
        self.cost, self.since = self.clock() - start, 0.0
        self.usual = STARTLED / SLOW * self.tried.get(chosen, float("inf"))
        self.steps, self.spent = 0, 0.0

    def times(self, rehearse: Rehearsal) -> dict[int, list[float]]:
        """Time rehearsals, taking turns; a number of threads that is far behind gets no second turn."""
        seconds: dict[int, list[float]] = {count: [] for count in self.counts}
        for _ in range(ROUNDS):
            for count in self.counts:
                fastest = min((statistics.median(times) for times in seconds.values() if times), default=float("inf"))
                if seconds[count] and statistics.median(seconds[count]) > SLOW * fastest:
                    continue
                self.take(count)
                rehearse()  # wakes the threads
                for _ in range(STEPS):
                    start = self.clock()
                    rehearse()
                    seconds[count].append(self.clock() - start)
                    if seconds[count][-1] > STARTLED * fastest:
                        break
        return seconds

    def take(self, count: int) -> None:
        """Use so many threads from now on."""
        self.count = count
        torch.set_num_threads(count)
        self.told(count)

    def note(self, seconds: float) -> None:
        """Hear how long a step took; try again if steps have become slow, or if it is time to look for better."""
        if len(self.counts) < 2:
            return
        self.steps += 1
        self.spent += seconds
        self.since += seconds
        if self.steps < WINDOW and self.spent < WINDOW * SLOW * self.usual:
            return
        mean = self.spent / self.steps
        slow = mean > SLOW * self.usual
        self.usual = min(self.usual, mean)
        self.steps, self.spent = 0, 0.0
        more = self.count < self.counts[-1]
        if (slow and self.count > self.counts[0]) or ((slow or more) and self.since > RARELY * self.cost):
            self.choose()

    def alike(self, rehearsals: Sequence[Rehearsal]) -> list[int]:
        """Return those numbers of threads that give the gradients of the first one, bit for bit."""
        found = []
        expected: list[Tensor] = []
        for count in self.counts:
            self.take(count)
            gradients = [rehearse().clone() for rehearse in rehearsals]
            expected = expected or gradients
            if all(map(torch.equal, gradients, expected)):
                found.append(count)
        return found
