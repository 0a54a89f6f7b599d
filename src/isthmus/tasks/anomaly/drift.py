"""`Drift`: whether the rows of a stream are still like the calibration rows, and which columns are not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

ROWS_PER_BATCH = 1000
"""Greatest number of rows per batch that are used, drawn at random, so that memory and time stay bounded."""
MOST = 20_000
"""Greatest number of values that are kept for comparison with new ones."""
JUMP = 0.01
"""Share of its capital that each gambler passes to the others before every bet."""
SHIFTS = np.array([0.0, -1.0, -0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0])
"""Shifts of the bets 1 + shift (2p - 1): below 0 they bet that values rise, above 0 that they fall."""
SPREADS = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -0.5, 0.5, 1.0])
"""Spreads of the bets 1 + spread (4|p - 1/2| - 1): below 0 they bet that values narrow, above 0 that they spread."""


@dataclass(frozen=True)
class Bag:
    """The values seen so far, and the capital of gamblers who bet on the order in which values come."""

    values: np.ndarray
    """Sorted."""
    capital: np.ndarray = field(default_factory=lambda: np.full(len(SHIFTS), -math.log(len(SHIFTS))))
    """Logarithm of each gambler's capital."""
    best: float = 0.0
    """Logarithm of the greatest capital that all have had together."""

    def bet(self, rows: np.ndarray, rng: np.random.Generator) -> tuple["Bag", np.ndarray]:
        """Bet on values (b,) one after the other; return the new bag, and the log capital after each value, (b,)."""
        capital, history = self.capital, np.empty(len(rows))
        together = log_of_sum(capital)
        p = online_pvalues(rows, self.values, rng)[:, None]
        stakes = SHIFTS * (2 * p - 1) + SPREADS * (4 * abs(p - 0.5) - 1)
        for place, gains in enumerate(np.log1p(stakes * (1 - 1e-9))):
            mixed = np.logaddexp(capital + math.log(1 - JUMP), together + math.log(JUMP / len(SHIFTS)))
            capital = mixed + gains
            history[place] = together = log_of_sum(capital)
        values = np.concatenate([self.values, rows])
        if len(values) > MOST:
            # Old and new ones are dropped alike, so that those that stay are exchangeable with what comes.
            values = values[rng.permutation(len(values))[:MOST]]
        return Bag(np.sort(values), capital, max([self.best, *history.tolist()])), history


def log_of_sum(logs: np.ndarray) -> float:
    """Return log Σ exp of a handful of finite numbers, for which scipy's checks of its input would take longest.

    >>> round(log_of_sum(np.log([1.0, 2.0, 2.0])), 6)  # log 5
    1.609438
    """
    largest = float(logs.max())
    at_largest = logs == largest
    rest = np.exp(logs - largest)
    rest[at_largest] = 0.0
    count = float(at_largest.sum())
    return float(np.log1p(rest.sum() / count) + np.log(count) + largest)


def online_pvalues(rows: np.ndarray, bag: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the smoothed p-value of each value among the bag and the values before it; ties are broken at random.

    They are independent and uniform on (0, 1) if bag and values are exchangeable (Vovk, Gammerman and Shafer 2005,
    theorem 8.2).

    Parameters
    ----------
    rows
        (b,) values in the order in which they came.
    bag
        (n,) earlier values, sorted.
    rng
        Breaks ties.
    """
    above = len(bag) - np.searchsorted(bag, rows, side="right")
    same = np.searchsorted(bag, rows, side="right") - np.searchsorted(bag, rows, side="left")
    earlier = np.tril(np.ones((len(rows), len(rows)), dtype=bool), -1)
    above = above + ((rows[None, :] > rows[:, None]) & earlier).sum(1)
    same = same + ((rows[None, :] == rows[:, None]) & earlier).sum(1) + 1
    return np.asarray((above + rng.random(len(rows)) * same) / (len(bag) + np.arange(len(rows)) + 1))


@dataclass(frozen=True)
class Drift:
    """Whether a stream has changed since calibration; give it back with the next batch: ``drift(X, after=this)``.

    Gamblers bet, row by row, against the claim that every rank of the row's score among all earlier scores is equally
    likely. As long as rows are exchangeable nobody can expect to win: their capital is a martingale that starts at 1,
    and the probability that it ever reaches 1/`false_alarm` is at most `false_alarm` (Ville's inequality). The
    gamblers are the simple jumper of Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman (2021, "Retrain or not
    retrain: conformal test martingales for change-point detection"). Each column has gamblers of its own, who bet on
    its values. It counts as changed when their capital reaches the number of columns over `false_alarm`, so that the
    probability of ever calling an unchanged column changed is at most `false_alarm` too.

    Attributes
    ----------
    changed : bool
        Whether there was an alarm.
    since : int or None
        Number of rows used when it was raised; None without an alarm.
    evidence : float
        The greatest capital so far: how much more likely the data are under some change than under none.
    columns : tuple
        Names of the columns that have changed.
    false_alarm : float
        The probability of ever raising an alarm without a change, in (0, 1).
    rows, batches : int
        Number of rows and batches so far.
    looked_at : int
        Number of rows used, at most 1,000 per batch.
    """

    false_alarm: float
    names: tuple[object, ...]
    scores: Bag
    cells: tuple[Bag, ...]
    seed: int
    since: int | None = None
    rows: int = 0
    looked_at: int = 0
    batches: int = 0

    @property
    def changed(self) -> bool:
        """Whether there was an alarm."""
        return self.since is not None

    @property
    def evidence(self) -> float:
        """The greatest capital so far; inf if a float cannot hold it."""
        return math.exp(self.scores.best) if self.scores.best < 700 else math.inf

    @property
    def columns(self) -> tuple[object, ...]:
        """Names of the columns that have changed, the one with the strongest evidence first."""
        level = math.log(len(self.cells) / self.false_alarm) if self.cells else math.inf
        found = [(bag.best, name) for bag, name in zip(self.cells, self.names, strict=True) if bag.best >= level]
        return tuple(name for _, name in sorted(found, key=lambda pair: -pair[0]))

    def __str__(self) -> str:
        what = f"changed (alarm after {self.since:,} rows)" if self.changed else "no change"
        which = f"; columns: {', '.join(map(str, self.columns))}" if self.columns else ""
        return (
            f"{what}: evidence {self.evidence:.3g}, alarm at {1 / self.false_alarm:g}; "
            f"{self.rows:,} rows in {self.batches} batches{which}"
        )


def unchanged(scores: np.ndarray, values: np.ndarray, names: Sequence[object], false_alarm: float, seed: int) -> Drift:
    """Return the state before the first batch, from scores (n,) and values (n, columns) of calibration rows."""
    if not 0 < false_alarm < 1:
        raise ValueError(f"false_alarm must be a number between 0 and 1, such as 0.01; got {false_alarm!r}")
    cells = tuple(Bag(np.sort(present(column))) for column in values.T)
    return Drift(false_alarm, tuple(names), Bag(np.sort(scores)), cells, seed)


def watch(before: Drift, scores: np.ndarray, values: np.ndarray) -> Drift:
    """Return the state after one more batch of scores (b,) and values (b, columns)."""
    rng = np.random.default_rng([before.seed, before.batches + 1])
    # In random order: rows that follow each other in time are alike, and no change for that.
    chosen = rng.permutation(len(scores))[:ROWS_PER_BATCH]
    bag, history = before.scores.bet(scores[chosen], rng)
    cells = tuple(
        kept.bet(present(column), rng)[0] for kept, column in zip(before.cells, values[chosen].T, strict=True)
    )
    alarms = np.flatnonzero(history >= -math.log(before.false_alarm))
    since = before.since
    if since is None and len(alarms):
        since = before.looked_at + int(alarms[0]) + 1
    return replace(
        before,
        scores=bag,
        cells=cells,
        since=since,
        rows=before.rows + len(scores),
        looked_at=before.looked_at + len(chosen),
        batches=before.batches + 1,
    )


def present(column: np.ndarray) -> np.ndarray:
    """Return values (n,) with missing ones as -inf, so that more of them than before count as a change too."""
    return np.where(np.isnan(column), -np.inf, column)
