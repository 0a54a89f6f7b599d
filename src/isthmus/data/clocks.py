"""`Clock`: whether a column of numbers tells when a row came: seconds, dates written as numbers, ids that rise.

Unlike a numbering its values may repeat, have fractions, or come slightly out of order.
"""

import math

import numpy as np

from isthmus.data.numbering import (
    ENDS,
    EXACT,
    FIRST_LOOK,
    LEAST_NUMBERED,
    MOST_NUMBERED,
    STRAIGHT,
    UNIX,
    WIDER_ENDS,
    differences,
)

OUT_OF_ORDER = 0.05
"""Rows may be this share of all rows away from their place in order of size, as if several writers kept the log."""
LEAST_COUNTED, LEAST_DISTINCT = 100, 0.25
"""Least number of different values of a counter, and least share of them: a few rows have each. Ages have fewer."""
EXCEL = (36_526.0, 51_544.0)
"""Days since 1900, as Excel writes times, of the years 2000 to 2040."""
SHORT = 0.1
"""Seconds that are not in order are times if their range is at most this share of them: five years."""
DATES, MINUTES, SECONDS = 10**8, 10**12, 10**14
"""Numbers below these are at most eight, twelve and fourteen digits long."""


class Clock:
    """Looks whether the values of a column tell when each row came, piece by piece.

    Attributes
    ----------
    possible : bool
        Whether they may by what was seen.

    Examples
    --------
    >>> clock = Clock()
    >>> clock.look(1_700_000_000 + np.repeat(np.arange(50) ** 2, 2))
    >>> clock.is_certain()
    True
    """

    def __init__(self) -> None:
        self.possible = True
        self.base: np.generic | float = 0.0
        self.pieces: list[np.ndarray] = []
        self.seen = 0

    def look(self, values: np.ndarray) -> None:
        """Add values (n,), in the order of the rows."""
        if not self.possible or not len(values):
            return
        self.base = self.base if self.seen else values[0]
        if self.seen < MOST_NUMBERED:
            self.pieces.append(differences(values[: MOST_NUMBERED - self.seen], self.base))
        looked = self.seen >= FIRST_LOOK
        self.seen += len(values)
        if not looked and self.seen >= FIRST_LOOK:
            self.possible = may_be_clock(self.values[:FIRST_LOOK])
            self.pieces = self.pieces if self.possible else []

    @property
    def values(self) -> np.ndarray:
        """The values that were kept, (n,) float64."""
        return np.concatenate(self.pieces) + float(self.base) if self.pieces else np.empty(0)

    def candidate(self) -> np.ndarray | None:
        """Return the values that were kept, (n,), if there are enough different ones; else None."""
        if not self.possible or self.seen <= LEAST_NUMBERED:
            return None
        values = self.values
        return values if len(np.unique(values)) > LEAST_NUMBERED or are_dates(values) else None

    def is_certain(self) -> bool:
        """Whether the values are times, whatever the other columns hold: seconds since 1970, or dates as numbers."""
        values = self.candidate()
        if values is None:
            return False
        return are_dates(values) or (are_unix_times(values) and (in_order(values) or spans_years(values)))

    def is_likely(self) -> bool:
        """Whether the values rise as a clock or a counter does, unless other columns go with them."""
        values = self.candidate()
        if values is None or not in_order(values) or not rises_evenly(values):
            return False
        if are_within(values, EXCEL) and not is_whole(values):
            return True
        return is_whole(values) and len(np.unique(values)) >= max(LEAST_COUNTED, LEAST_DISTINCT * len(values))

    def rises(self) -> bool:
        """Whether the values are in order of size, or nearly so."""
        values = self.candidate()
        return values is not None and in_order(values)


def may_be_clock(first: np.ndarray) -> bool:
    """Whether the first values (n,) of a column may be those of a clock, at little cost."""
    if are_dates(first) or are_unix_times(first):
        return True
    return (is_whole(first) or are_within(first, EXCEL)) and in_order(first)


def is_whole(values: np.ndarray) -> bool:
    """Whether all values (n,) are whole numbers."""
    return bool((values == np.round(values)).all())


def are_within(values: np.ndarray, ends: tuple[float, float]) -> bool:
    """Whether all values (n,) lie between these ends."""
    return bool(values.min() >= ends[0] and values.max() <= ends[1])


def are_unix_times(values: np.ndarray) -> bool:
    """Whether all values (n,) are seconds since 1970, or thousandths, millionths or billionths of one, of our days."""
    return any(are_within(values, (UNIX[0] * unit, UNIX[1] * unit)) for unit in (1.0, 1e3, 1e6, 1e9))


def spans_years(values: np.ndarray) -> bool:
    """Whether seconds (n,) that are in no order are whole numbers, mostly different, of at most five years."""
    different = len(np.unique(values)) >= len(values) / 2
    return different and is_whole(values) and float(np.ptp(values)) <= SHORT * float(values.max())


def are_dates(values: np.ndarray) -> bool:
    """Whether all values (n,) are dates of our days as numbers, such as 20240229, perhaps with a time of day.

    >>> are_dates(np.array([20240229.0, 20240301])), are_dates(np.array([20240229.0, 20240299]))
    (True, False)
    """
    if not is_whole(values[:1]) or not 19_700_101 <= values[0] < SECONDS or not is_whole(values):
        return False
    for below, rest in ((DATES, 1), (MINUTES, 10**4), (SECONDS, 10**6)):
        if below // 10 <= values[0] < below:
            return are_dates_of(np.unique(values), rest)
    return False


def are_dates_of(values: np.ndarray, rest: int) -> bool:
    """Whether different values (n,) are dates followed by a time of day of so many digits: a power of ten."""
    dates, clock = np.divmod(values, rest)
    # Hours, minutes and seconds of the time of day, as far as it is written.
    limits = [(100**place, most) for place, most in ((1, 24), (2, 60), (3, 60)) if rest >= 100**place]
    parts = [clock // (rest // unit) % 100 < most for unit, most in limits]
    parts += [(dates // 10_000 >= 1970) & (dates // 10_000 <= 2100)]
    parts += [(dates // 100 % 100 >= 1) & (dates // 100 % 100 <= 12), (dates % 100 >= 1) & (dates % 100 <= 31)]
    return len(values) > 1 and bool(np.all(parts))


def in_order(values: np.ndarray) -> bool:
    """Whether values (n,) rise, or fall, apart from a few rows between neighbours."""
    end = math.ceil(2 * OUT_OF_ORDER * len(values))
    if values[:end].max() > values[-end:].min() and values[:end].min() < values[-end:].max():
        return False
    places = np.arange(len(values))
    for one_way in (values, -values):
        ranks = np.empty(len(values))
        ranks[np.argsort(one_way, kind="stable")] = places
        if np.abs(ranks - places).max() <= OUT_OF_ORDER * len(values):
            return True
    return False


def rises_evenly(values: np.ndarray) -> bool:
    """Whether values (n,) lie along a straight line when sorted, with steps that are as wide everywhere."""
    ordered = np.sort(values)
    if ordered[-1] - ordered[0] >= EXACT or ordered[0] == ordered[-1]:
        return False
    if float(np.corrcoef(ordered, np.arange(len(ordered)))[0, 1]) ** 2 < STRAIGHT:
        return False
    near = max(1, math.ceil(ENDS * (len(ordered) - 1)))
    ends = (ordered[near] - ordered[0] + ordered[-1] - ordered[-1 - near]) / (2 * near)
    return bool(ends <= WIDER_ENDS * (ordered[-1] - ordered[0]) / (len(ordered) - 1))
