"""Numberings: columns of whole numbers that tell rows apart and carry nothing else, such as a running number."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from isthmus.data.fields import Cells, Field

LEAST_NUMBERED = 20
"""A column with at most so many values is never a numbering."""
MOST_NUMBERED = 1_000_000
"""Values of a column that are kept to look whether it is a numbering."""
FIRST_LOOK = 1024
"""Values that are looked at first: most columns repeat one of these."""
EVEN, EVEN_IN_FEW = 0.65, 0.95
"""Steps are nearly even if their standard deviation is at most this share of their mean.

It is 0.58 for steps of any width up to a greatest one, and 1 or more for independent values in order of size. Of few
values it varies by chance: the bound is `EVEN_IN_FEW` - 2/√n there.
"""
MOST_DRIFT = 0.6
"""Steps whose width goes with their place more than so (a correlation) are not even: they grow or shrink."""
BY_CHANCE = math.log(1e-4)
"""Log of the probability below which nobody draws so many different values out of so few possible ones."""
EXACT = 2.0**53
"""Floats below it tell whole numbers apart."""
UNEVEN = 1.3
"""Greatest unevenness of the steps of a sparse sample of a numbering."""
LEAST_SHARE = 0.1
"""Such a sample has at least this share of the possible values."""
CERTAINLY_EVEN = 0.25
"""Steps that vary no more than so number the rows, whatever goes with them."""
STRAIGHT = 0.97
"""Least squared correlation of a clock with the number of the row; 0.955 for sorted normal values."""
ENDS, WIDER_ENDS = 0.1, 1.7
"""Steps within this share of the rows from either end are at most so much wider than all; 2.7 for sorted normal values.
"""
UNIX = (1e9, 2e9)
"""Seconds from 1970 to the years 2001 and 2033: whole numbers from here to there that rise are times."""
RELATED, CERTAIN = 0.3, 1e-4
"""Another column goes with a rising one if their rank correlation is at least this, and so unlikely by chance."""
COMPARED = 4096
"""Rows in which columns are compared."""


class Numbering:
    """Looks whether the values of a column number its rows, piece by piece.

    Attributes
    ----------
    possible : bool
        Whether it can be a numbering by what was seen: whole numbers, each once.
    """

    def __init__(self) -> None:
        self.possible = True
        self.base = 0.0
        self.pieces: list[np.ndarray] = []
        self.kept = 0
        self.seen = 0
        self.smallest, self.largest = math.inf, -math.inf

    def look(self, values: np.ndarray) -> None:
        """Add values (n,), in the order of the rows."""
        self.possible = self.possible and may_number(values[:FIRST_LOOK]) and may_number(values)
        if not self.possible:
            self.pieces = []
            return
        self.base = values[0] if not self.seen else self.base
        self.seen += len(values)
        beyond = differences(values, self.base)
        self.smallest, self.largest = min(self.smallest, beyond.min()), max(self.largest, beyond.max())
        if self.kept < MOST_NUMBERED:
            self.pieces.append(beyond[: MOST_NUMBERED - self.kept])
            self.kept += len(self.pieces[-1])

    @property
    def values(self) -> np.ndarray:
        """The values that were kept, (n,) float64, less the first one: floats would round the largest whole numbers."""
        return np.concatenate(self.pieces) if self.pieces else np.empty(0)

    def is_certain(self) -> bool:
        """Whether the column is a numbering whatever the other columns hold.

        It is by even steps, by seconds that rise, or if its steps are nearly even and the rows are not sorted by it.
        """
        values = self.candidate()
        if values is None:
            return False
        if is_monotone(values):
            return self.is_unix_time() or has_even_steps(values, CERTAINLY_EVEN)
        return has_even_steps(values) or is_drawn_from_numbering(values)

    def is_likely(self) -> bool:
        """Whether the column is a numbering by which the rows are sorted, unless other columns go with it."""
        values = self.candidate()
        if values is None or not is_monotone(values):
            return False
        return has_even_steps(values) or is_drawn_from_numbering(values) or is_clock(values)

    def rises(self) -> bool:
        """Whether every value is larger than the one before, or every one smaller."""
        values = self.candidate()
        return values is not None and is_monotone(values)

    def is_unix_time(self) -> bool:
        """Whether all values are seconds since 1970, or thousandths, millionths or billionths of one, of our days."""
        least, most = (float(self.base) + end for end in (self.smallest, self.largest))
        return any(UNIX[0] * unit <= least and most <= UNIX[1] * unit for unit in (1.0, 1e3, 1e6, 1e9))

    def candidate(self) -> np.ndarray | None:
        """Return the values that were kept, (n,), if there are enough whole numbers, each once; else None."""
        if not self.possible or self.seen <= LEAST_NUMBERED or self.largest - self.smallest < self.seen - 1:
            return None
        values = self.values
        return values if len(np.unique(values)) == len(values) else None


def differences(values: np.ndarray, base: np.generic | float) -> np.ndarray:
    """Return values (n,) less a value of the same kind, (n,) float64, exact where they are less than 2⁵³.

    >>> differences(np.array([2**63 + 1, 2**63], dtype=np.uint64), np.uint64(2**63))
    array([1., 0.])
    """
    if values.dtype.kind not in "iu":
        return values - float(base)
    # Unsigned numbers wrap around, and so does what is read of them as signed ones.
    wrapped = values.astype(np.int64) - np.array(base).astype(np.int64)
    return wrapped.astype(np.float64)


def may_number(values: np.ndarray) -> bool:
    """Whether values (n,) are whole numbers, each once."""
    if values.dtype.kind == "f" and not (values == np.round(values)).all():
        return False
    return len(np.unique(values)) == len(values)


def steps_in_order(values: np.ndarray) -> np.ndarray:
    """Return the differences of values (n,) in order of their size, (n - 1,)."""
    return np.diff(np.sort(values))


def unevenness(values: np.ndarray) -> float:
    """Return the standard deviation of the steps between values (n,), in order of size, as a share of their mean.

    >>> unevenness(np.array([3.0, 1.0, 2.0]))
    0.0
    """
    steps = steps_in_order(values)
    return float(steps.std() / steps.mean())


def has_even_steps(values: np.ndarray, most: float = EVEN) -> bool:
    """Whether different values (n,), in any order, are a range or nearly one: their steps are at most so uneven."""
    steps = steps_in_order(values)
    if steps.std() > min(most, EVEN_IN_FEW - 2 / math.sqrt(len(values))) * steps.mean():
        return False
    return steps.std() == 0 or abs(float(np.corrcoef(steps, np.arange(len(steps)))[0, 1])) < MOST_DRIFT


def is_drawn_from_numbering(values: np.ndarray) -> bool:
    """Whether different values (n,), in any order, are a part of a range: too different to be there by chance."""
    steps = steps_in_order(values)
    if steps.max() >= EXACT:
        return False
    step = float(np.gcd.reduce(steps.astype(np.int64)))
    possible = (values.max() - values.min()) / step + 1
    if len(values) < LEAST_SHARE * possible or unevenness(values) > UNEVEN:
        return False
    # m!/((m - n)! mⁿ), the probability that n independent draws of m values all differ.
    chance = math.lgamma(possible + 1) - math.lgamma(possible - len(values) + 1) - len(values) * math.log(possible)
    return chance < BY_CHANCE


def is_monotone(values: np.ndarray) -> bool:
    """Whether values (n,) only rise, or only fall."""
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def is_clock(values: np.ndarray) -> bool:
    """Whether values (n,) rise as times do: along a straight line, in steps that are as wide everywhere."""
    if not is_monotone(values) or float(np.corrcoef(values, np.arange(len(values)))[0, 1]) ** 2 < STRAIGHT:
        return False
    steps = np.abs(np.diff(values))
    near = max(1, round(ENDS * len(steps)))
    return float(np.append(steps[:near], steps[-near:]).mean()) <= WIDER_ENDS * float(steps.mean())


def goes_with(values: np.ndarray, field: Field, cells: Cells) -> bool:
    """Whether another column goes with rising values (n,), NaN where missing, by their ranks.

    Parameters
    ----------
    values
        The values, (n,).
    field, cells
        The other column, of n rows.
    """
    both = ~np.isnan(values) & ~cells.missing
    if both.sum() <= LEAST_NUMBERED:
        return False
    ranks, other = stats.rankdata(values[both]), cells.values[both]
    if field.sort in ("text", "category"):
        return groups_differ(ranks, other)
    if (other == other[0]).all():
        return False
    found = stats.spearmanr(ranks, other.astype(np.float64))
    return bool(abs(found.statistic) >= RELATED and found.pvalue <= CERTAIN)


def groups_differ(ranks: np.ndarray, names: Sequence[object] | np.ndarray) -> bool:
    """Whether ranks (n,) differ by the group that each belongs to, by an analysis of variance."""
    _, group, sizes = np.unique(np.asarray(names).astype(str), return_inverse=True, return_counts=True)
    rows, groups = len(ranks), len(sizes)
    if not 2 <= groups <= rows / 2:
        return False
    means = np.bincount(group, ranks) / sizes
    between = float((sizes * (means - ranks.mean()) ** 2).sum())
    within = float(((ranks - means[group]) ** 2).sum())
    if between < RELATED**2 * (between + within):
        return False
    ratio = (between / (groups - 1)) / max(within / (rows - groups), 1e-300)
    return bool(stats.f.sf(ratio, groups - 1, rows - groups) <= CERTAIN)
