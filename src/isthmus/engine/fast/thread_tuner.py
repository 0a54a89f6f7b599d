"""`ThreadTuner`: the number of threads for training steps, found by trial, and tried again when steps slow down.

Threads wait for each other at the end of every matrix product. On a calm machine two threads are faster than one for
steps of about a third of a millisecond and more; where another process takes a core, two can be a hundred times slower
than one.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from isthmus.core.torch_threads import use_threads
from isthmus.engine.steps import DryRun

ROUNDS, STEPS = 3, 3
"""How often each number of threads is tried, and with how many dry runs each time."""
GAIN = 1.1
"""How many times faster more threads must be."""
WINDOW, SLOW = 32, 1.5
"""Steps that are averaged, and how many times slower than before they must be to call for another trial."""
FIRST_SLOW = 4.0
"""The same factor against the trial itself, whose dry runs are shorter than steps, before the first window."""
PAUSE = 50
"""The least time between two trials, in durations of a trial, where steps have not slowed down on several threads."""


class ThreadTuner:
    """Sets torch's number of threads inside a ``with`` block; the previous number is restored after it.

    Parameters
    ----------
    counts
        Thread counts to choose from, ascending; a single one is used without a trial.
    dry_runs
        Returns a dry run of each kind of step that will be taken; the first one is timed.
    repeatable
        Whether only those counts may be chosen that give the same gradient as the first, bit for bit.
    clock
        Returns seconds.
    on_change
        Called with every new count.
    """

    def __init__(
        self,
        counts: Sequence[int],
        dry_runs: Callable[[], Sequence[DryRun]],
        repeatable: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        on_change: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.counts = list(counts)
        self.dry_runs = dry_runs
        self.repeatable = repeatable
        self.clock = clock
        self.on_change = on_change
        self.count = self.counts[0]
        self.trials = 0
        self.cost = self.since = self.last = 0.0
        self.tried: dict[int, float] = {}

    def __enter__(self) -> Self:
        self.before = torch.get_num_threads()
        self.use(self.count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        use_threads(self.before)

    @property
    def description(self) -> str:
        """The number of threads in use and the times of the last trial, such as "2 (1.1 ms with 1, 0.7 ms with 2)"."""
        if not self.tried:
            return str(self.count)
        times = ", ".join(f"{1e3 * seconds:.2g} ms with {count}" for count, seconds in sorted(self.tried.items()))
        again = f", tried {self.trials} times" if self.trials > 1 else ""
        return f"{self.count} ({times}{again})"

    def choose(self) -> None:
        """Try each count and use the fastest; use fewer threads where more gain little."""
        start = self.clock()
        dry_runs = self.dry_runs()
        if self.repeatable and not self.trials:
            self.counts = self.equal_counts(dry_runs)
        self.tried = {}
        if len(self.counts) > 1:
            self.tried = {count: statistics.median(times) for count, times in self.times(dry_runs[0]).items()}
        chosen = self.counts[0]
        for count, seconds in self.tried.items():
            if seconds * GAIN < self.tried[chosen]:
                chosen = count
        self.use(chosen)
        self.trials += 1
        self.cost, self.since = self.clock() - start, 0.0
        self.usual = FIRST_SLOW / SLOW * self.tried.get(chosen, float("inf"))
        self.steps, self.spent = 0, 0.0

    def times(self, dry_run: DryRun) -> dict[int, list[float]]:
        """Time dry runs with each count, taking turns; a count that is far behind gets no second turn."""
        seconds: dict[int, list[float]] = {count: [] for count in self.counts}
        for _ in range(ROUNDS):
            for count in self.counts:
                fastest = min((statistics.median(times) for times in seconds.values() if times), default=float("inf"))
                if seconds[count] and statistics.median(seconds[count]) > SLOW * fastest:
                    continue
                self.use(count)
                dry_run()  # wakes the threads
                for _ in range(STEPS):
                    start = self.clock()
                    dry_run()
                    seconds[count].append(self.clock() - start)
                    if seconds[count][-1] > FIRST_SLOW * fastest:
                        break
        return seconds

    def use(self, count: int) -> None:
        """Use so many threads from now on."""
        self.count = count
        use_threads(count)
        self.on_change(count)

    def start_epoch(self) -> None:
        """Note that the first step of an epoch starts now."""
        if len(self.counts) > 1:
            self.last = self.clock()

    def step_done(self) -> None:
        """Note that a step ended now, and the next one starts."""
        if len(self.counts) > 1:
            self.note(self.clock() - self.last)
            self.last = self.clock()

    def note(self, seconds: float) -> None:
        """Note how long a step took; try again if steps have become slow, or if it is time to look for faster ones."""
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
        due = self.since > PAUSE * self.cost
        if (slow and self.count > self.counts[0]) or ((slow or more) and due):
            self.choose()

    def equal_counts(self, dry_runs: Sequence[DryRun]) -> list[int]:
        """Return the counts that give the same gradients as the first one, bit for bit."""
        found = []
        expected: list[Tensor] = []
        for count in self.counts:
            self.use(count)
            gradients = [dry_run().clone() for dry_run in dry_runs]
            expected = expected or gradients
            if all(map(torch.equal, gradients, expected)):
                found.append(count)
        return found
