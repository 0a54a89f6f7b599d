"""Whether the columns of a table are in one unit, so that one scale keeps what their sizes say: found by evidence.

Grey levels, spectra, frames of sound or expressions of genes lose when each column is divided by its own standard
deviation: a pixel that is dark in nearly every image then counts as much as one in the middle. Columns of different
units lose when they are not.
"""

from typing import NamedTuple

import numpy as np

from isthmus.data.moments import Summary

LEAST_COLUMNS, MANY, WIDE = 16, 64, 200
"""Columns from which spreads are evidence, from which they are without any other, and which are allowed to differ."""
COMMON = 0.9
"""Share of the columns that have a common end."""
NEAR, NEARLY = 0.02, 0.8
"""Parts of the whole range up to which a column is at its least value, and from which it is nearly at its greatest."""
FLOOR = 0.05
"""Share of the cells at the least value from which the unit begins there."""
REACHING = 0.5
"""Share of the columns that nearly reach it."""
PART, SHARE = 0.25, 0.75
"""At least this share of the columns goes through this part of the whole range."""
SMALL, EMPTY = 0.05, 0.8
"""Columns that go through less of the range have this share of their cells at the common least value."""
PEAK, WIDE_PEAK, SPARSE_PEAK = 3.0, 15.0, 50.0
"""Largest standard deviation, in units of the median one: of ordinary, of wide and of mostly empty tables."""
NEIGHBOURS, ABOVE_OTHERS = 0.7, 0.2
"""Median correlation of neighbouring columns, and how far it is above that of columns in random order."""
MOST_LEVELS = 1100
"""Steps of a grid that all columns share, such as 256 grey levels, at most."""
MOST_COLUMNS = 2048
"""Columns in a row at most that are correlated."""
GRID_ERROR = 1e-3


class OneUnit(NamedTuple):
    """That columns are in one unit."""

    reason: str
    """Why they are taken to be."""
    begins: bool
    """Whether the unit begins at a least value that most columns have and many cells are at, such as black."""


class Evidence(NamedTuple):
    """What was measured on the columns that vary."""

    columns: int
    least: float
    """Share of the columns whose least value is that of the table."""
    nearly_least: float
    nearly_greatest: float
    wide: float
    """Share of the columns that go through a quarter of the whole range."""
    small_are_empty: bool
    """Whether columns that go through little of the range are mostly at its least value."""
    peak: float
    """Largest standard deviation in units of the median one."""
    at_least: float
    """Share of the cells at the least value."""
    grid: bool
    neighbours: bool


def one_unit(summary: Summary, rows: np.ndarray) -> OneUnit | None:
    """Return why the columns are taken to be in one unit; None if they are not.

    Parameters
    ----------
    summary : Summary
        Statistics of all rows.
    rows : ndarray of shape (n, F)
        Some of the rows.
    """
    found = evidence(summary, rows)
    if found is None or not (reason := reason_of(found)):
        return None
    return OneUnit(reason, found.nearly_least >= COMMON and (found.grid or found.at_least >= FLOOR))


def reason_of(found: Evidence) -> str:
    """Return why columns with this evidence are taken to be in one unit; "" if they are not."""
    each_by_itself = found.nearly_least >= COMMON and found.nearly_greatest >= COMMON
    if each_by_itself and not (found.grid or found.neighbours):
        # Each column was brought to the ends of the range by itself: the ends say nothing about units.
        return ""
    common_ends = found.nearly_least >= COMMON and found.nearly_greatest >= REACHING
    if found.grid and common_ends:
        return "all values are steps of one grid between common ends"
    if found.columns < LEAST_COLUMNS:
        return ""
    if found.least >= COMMON and found.at_least >= EMPTY and found.peak <= SPARSE_PEAK:
        return f"{found.at_least:.0%} of the cells are at the common least value"
    together = found.wide >= SHARE and (found.small_are_empty or found.neighbours) and found.peak <= PEAK
    if together and common_ends:
        return "most columns go from a common least value nearly to a common greatest one"
    if together and found.neighbours:
        return "neighbouring columns go together in one range"
    if together and found.columns >= MANY:
        return f"{found.columns} columns share one range"
    if found.columns >= WIDE and found.peak <= WIDE_PEAK:
        return f"{found.columns} columns have similar spreads"
    return ""


def evidence(summary: Summary, rows: np.ndarray) -> Evidence | None:
    """Measure the columns; None if fewer than two vary."""
    least, greatest = summary.smallest.numpy(), summary.largest.numpy()
    spread = np.sqrt(summary.variance.numpy())
    size = np.maximum(np.abs(least), np.abs(greatest))
    varies = np.flatnonzero((greatest > least) & (spread > 1e-12 * size))
    if len(varies) < 2:
        return None
    least, greatest, spread = least[varies], greatest[varies], spread[varies]
    low, high = least.min(), greatest.max()
    span = high - low
    extent = (greatest - least) / span
    cells = np.asarray(rows[:, varies], dtype=np.float64)
    at_least = cells == low
    small = extent < SMALL
    return Evidence(
        len(varies),
        float((least == low).mean()),
        float((least <= low + NEAR * span).mean()),
        float((greatest >= low + NEARLY * span).mean()),
        float((extent >= PART).mean()),
        bool((at_least[:, small].mean(0) >= EMPTY).all()),
        float(spread.max() / np.median(spread)),
        float(at_least.mean()),
        on_one_grid(cells, low, span),
        neighbours_go_together(cells),
    )


def on_one_grid(cells: np.ndarray, low: float, span: float) -> bool:
    """Return whether all cells (n, F) are whole numbers of steps above the least value, and the steps are few."""
    levels = np.unique(cells)
    if not 2 <= len(levels) <= MOST_LEVELS:
        return False
    gaps = np.diff(levels)
    step = gaps[gaps > 1e-9 * span].min(initial=span)
    places = (levels - low) / step
    return bool(span / step <= MOST_LEVELS and np.abs(places - places.round()).max() < GRID_ERROR)


def neighbours_go_together(cells: np.ndarray) -> bool:
    """Return whether columns (n, F) are related to the next one, and more so than to others."""
    cells = cells[:, :MOST_COLUMNS]
    if cells.shape[1] < LEAST_COLUMNS:
        return False
    centred = cells - cells.mean(0)
    size = np.sqrt((centred**2).mean(0))
    standard = centred / np.where(size > 0, size, np.inf)
    order = np.random.default_rng(0).permutation(cells.shape[1])
    next_to, others = (
        float(np.median(np.abs((columns[:, 1:] * columns[:, :-1]).mean(0))))
        for columns in (standard, standard[:, order])
    )
    return next_to >= NEIGHBOURS and next_to >= others + ABOVE_OTHERS
