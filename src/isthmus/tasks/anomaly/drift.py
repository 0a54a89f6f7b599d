"""`Drift`: whether the rows of a stream are still like those of the calibration, and which columns are not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp

ROWS_A_BATCH = 1000
"""Rows of a batch at most that are looked at, drawn at random, so that memory and time stay bounded."""
MOST = 20_000
"""Values at most that are kept to compare new ones with."""
JUMP = 0.01
"""Share of its capital that each gambler moves to the others before every bet."""
SLOPES = np.array([0.0, -1.0, -0.5, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0])
"""Of the bets 1 + slope (2p - 1): that values rise where it is below 0, and that they fall where it is above."""
SPREADS = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -0.5, 0.5, 1.0])
"""Of the bets 1 + spread (4|p - 1/2| - 1): that values draw together where it is below 0, and spread above."""


@dataclass(frozen=True)
class Bag:
    """Values seen so far, sorted, and what gamblers have made of the order in which they came."""

    values: np.ndarray
    capital: np.ndarray = field(default_factory=lambda: np.full(len(SLOPES), -math.log(len(SLOPES))))
    """Log of what each gambler has."""
    best: float = 0.0
    """Log of the most that all have had together."""

    def bet(self, rows: np.ndarray, rng: np.random.Generator) -> tuple["Bag", np.ndarray]:
        """Take rows (b,) in, one after the other; return the bag, and the log capital after each (b,)."""
        capital, history = self.capital, np.empty(len(rows))
        for place, p in enumerate(online_pvalues(rows, self.values, rng)):
            mixed = np.logaddexp(capital + math.log(1 - JUMP), logsumexp(capital) + math.log(JUMP / len(SLOPES)))
            stakes = SLOPES * (2 * p - 1) + SPREADS * (4 * abs(p - 0.5) - 1)
            capital = mixed + np.log1p(stakes * (1 - 1e-9))
            history[place] = logsumexp(capital)
        values = np.concatenate([self.values, rows])
        if len(values) > MOST:
            # Any of them may go, old or new, so that those that stay are exchangeable with what comes.
            values = values[rng.permutation(len(values))[:MOST]]
        return Bag(np.sort(values), capital, max([self.best, *history.tolist()])), history


def online_pvalues(rows: np.ndarray, bag: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the smoothed p-value of each row among the bag and the rows before it; ties are broken by chance.

    Independent and uniform on (0, 1) if bag and rows are exchangeable (Vovk, Gammerman and Shafer 2005, theorem 8.2).

    Parameters
    ----------
    rows
        (b,) in the order in which they came.
    bag
        (n,) sorted values from before.
    rng
        For the ties.
    """
    above = len(bag) - np.searchsorted(bag, rows, side="right")
    same = np.searchsorted(bag, rows, side="right") - np.searchsorted(bag, rows, side="left")
    earlier = np.tril(np.ones((len(rows), len(rows)), dtype=bool), -1)
    above = above + ((rows[None, :] > rows[:, None]) & earlier).sum(1)
    same = same + ((rows[None, :] == rows[:, None]) & earlier).sum(1) + 1
    return np.asarray((above + rng.random(len(rows)) * same) / (len(bag) + np.arange(len(rows)) + 1))


@dataclass(frozen=True)
class Drift:
    """Whether a stream has changed since calibration; the next batch goes to ``detector.drift(X, after=this)``.

    Gamblers bet, row by row, against the claim that the row's score is as likely to come at any place among all scores
    before it. As long as rows are exchangeable nobody can expect to win: their capital is a martingale that starts at
    1, and the chance that it ever reaches 1/`false_alarm` is at most `false_alarm` (Ville's inequality). The gamblers
    are the simple jumper of Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman (2021, "Retrain or not retrain:
    conformal test martingales for change-point detection"). Each column has gamblers of its own, on its values, and
    counts as changed when they reach the number of columns over `false_alarm`, so that the chance of calling any column
    changed that is not, ever, is at most `false_alarm` too.

    Attributes
    ----------
    changed : bool
        Whether there was an alarm.
    since : int or None
        How many rows that were looked at had come when it was raised.
    evidence : float
        The most that the capital has been: how much likelier some change makes what was seen than none.
    columns : tuple
        Names of the columns that have changed.
    false_alarm : float
        The chance of any alarm without a change, ever.
    rows, batches : int
        How many have come.
    """

    false_alarm: float
    names: tuple[Any, ...]
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
        """The most that the capital has been; inf where it is beyond what a float holds."""
        return math.exp(self.scores.best) if self.scores.best < 700 else math.inf

    @property
    def columns(self) -> tuple[Any, ...]:
        """Names of the columns that have changed, the one of the strongest evidence first."""
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


def unchanged(scores: np.ndarray, values: np.ndarray, names: Sequence[Any], false_alarm: float, seed: int) -> Drift:
    """Return the state before the first batch, by scores (n,) and values (n, columns) of calibration rows."""
    if not 0 < false_alarm < 1:
        raise ValueError(f"false_alarm has to be between 0 and 1, and is {false_alarm!r}")
    cells = tuple(Bag(np.sort(present(column))) for column in values.T)
    return Drift(false_alarm, tuple(names), Bag(np.sort(scores)), cells, seed)


def watch(before: Drift, scores: np.ndarray, values: np.ndarray) -> Drift:
    """Return what is known after one more batch of scores (b,) and values (b, columns)."""
    rng = np.random.default_rng([before.seed, before.batches + 1])
    chosen = np.arange(len(scores))
    if len(scores) > ROWS_A_BATCH:
        chosen = np.sort(rng.permutation(len(scores))[:ROWS_A_BATCH])
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
    """Return values (n,) with missing ones as the least of all: more of these than before are a change too."""
    return np.where(np.isnan(column), -np.inf, column)
