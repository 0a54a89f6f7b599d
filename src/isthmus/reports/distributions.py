"""Small pictures of a column's distribution with a row's place in it, as numbers for a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.data.calendar import CYCLES, place_in
from isthmus.data.columns import Column

BINS = 24
"""Bars of a histogram."""
ENDS = (0.005, 0.995)
"""Quantiles between which values are drawn; those beyond are marked at the edge."""
MOST_LEVELS = 6
"""Greatest number of categories that are drawn: the most frequent ones, and those of the row."""


@dataclass(frozen=True)
class Histogram:
    """Bars of a column of numbers or times, and where the row and what was expected lie."""

    bars: tuple[float, ...]
    """Heights from 0 to 1."""
    low: str
    """The value at the left end."""
    high: str
    """The value at the right end."""
    seen: float | None
    """Place of the row's value, from 0 to 1, or just outside if it lies beyond an end; None if it is missing."""
    expected: float | None
    """Place of the expected value."""


@dataclass(frozen=True)
class Level:
    """A category: its name, its share of the rows from 0 to 1, and whether it is the row's or the expected one."""

    name: str
    share: float
    seen: bool
    expected: bool


@dataclass(frozen=True)
class Levels:
    """The categories of a column."""

    levels: tuple[Level, ...]
    others: float
    """The share of all other categories."""


def distribution(sample: np.ndarray, seen: float, expected: float, column: Column | None) -> Histogram | Levels:
    """Return how to draw a column.

    Parameters
    ----------
    sample
        (s,) values of rows: codes of categories, days of times, NaN where missing.
    seen, expected
        The value of the row, and the one that was expected.
    column
        What the column was taken for; None for a column of a table of numbers alone.
    """
    present = sample[~np.isnan(sample)]
    if column is not None and (column.kind in ("category", "boolean") or column.levels):
        return levels_of(present, seen, expected, column)
    if column is not None and column.kind == "date-time" and column.cycles:
        return calendar_of(present, seen, expected, column.cycles[0])
    if not len(present):
        return Histogram((), "", "", None, None)
    low, high = (float(end) for end in np.quantile(present, ENDS))
    if low == high:
        low, high = low - 0.5, high + 0.5
    time = column is not None and column.sort == "time"
    return histogram_of(present, (low, high), seen, expected, (written(low, time), written(high, time)))


def histogram_of(
    present: np.ndarray, ends: tuple[float, float], seen: float, expected: float, names: tuple[str, str]
) -> Histogram:
    """Return the histogram of values (s,) between two ends, which have names."""
    counts, _ = np.histogram(present, BINS, ends)
    bars = counts / max(1, counts.max())
    return Histogram(tuple(np.round(bars, 3).tolist()), *names, place(seen, ends), place(expected, ends))


def calendar_of(present: np.ndarray, seen: float, expected: float, cycle: str) -> Histogram:
    """Return the histogram of the places of times, in days since 1970, in the shortest cycle that they repeat."""
    names = {"day": ("0:00", "24:00"), "week": ("Monday", "Sunday"), "year": ("1 January", "31 December")}[cycle]
    own, other = place_in(np.array([seen, expected]), cycle)
    return histogram_of(place_in(present, cycle), (0.0, CYCLES[cycle]), float(own), float(other), names)


def levels_of(present: np.ndarray, seen: float, expected: float, column: Column) -> Levels:
    """Return the most frequent categories of codes (s,), and those of the row and of what was expected."""
    codes, counts = np.unique(present, return_counts=True)
    shares = dict(zip(codes.tolist(), (counts / max(1, counts.sum())).tolist(), strict=True))
    own = [code for code in (seen, expected) if code == code]
    kept = sorted(shares, key=lambda code: -shares[code])[: MOST_LEVELS - len(set(own))]
    drawn = sorted(dict.fromkeys([*kept, *own]), key=lambda code: -shares.get(code, 0.0))
    levels = tuple(
        Level(level_name(code, column.levels), round(shares.get(code, 0.0), 4), code == seen, code == expected)
        for code in drawn
    )
    return Levels(levels, max(0.0, round(1.0 - sum(level.share for level in levels), 4)) if shares else 0.0)


def level_name(code: float, levels: Sequence[object]) -> str:
    """Return the name of a category by its code; a code without a level is one that training never had."""
    if not levels:
        return str(bool(code))
    return str(levels[int(code)]) if 0 <= code < len(levels) else "never seen"


def place(value: float, ends: tuple[float, float]) -> float | None:
    """Return where a value lies between two ends, from 0 to 1; a little outside if it lies beyond; None if missing."""
    if value != value:
        return None
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), -0.03, 1.03))


def written(value: float, time: bool) -> str:
    """Return the value at an end of a histogram as text."""
    if time:
        return str(np.datetime64(round(value * 86_400), "s")).replace("T", " ")[:16]
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
