"""`ColumnSurvey`: what has been seen of one column, and what it is taken for."""

import math
import warnings
from collections import Counter

import numpy as np

from isthmus.data.calendar import CyclesSeen
from isthmus.data.categories import pooled
from isthmus.data.columns import Column, kind_of_choice, likelihood_of_choice
from isthmus.data.encoding import refuse_extreme
from isthmus.data.fields import Cells, Field, Level, Name, merged
from isthmus.data.moments import Moments
from isthmus.data.row_order import RowOrder

MOST_COUNTED, MEAN_COUNTED = 1000, 50
"""Whole numbers that begin at 0 or 1 are counts if their maximum and their mean are at most these."""
USUAL = 0.99
"""Quantile to which the values of a positive column are cut before their usual mean is taken."""
MOST_SKEWED = 10.0
"""How many times that usual mean the mean of all values may be; beyond, a few wild values make it."""
SKEWED = 2.0
"""Skewness above which a positive column may be put on a logarithmic scale."""
IDENTIFIERS = 20
"""A column of text with more values than this, all different, identifies rows and carries nothing else."""
MOST_COUNTED_LEVELS = 100_000
"""Categories that are counted at a time."""
SAMPLE = 4096
"""At least this many values of a column, if it has them, are kept to find its skewness and its rounding."""
EXACT = 2**53
"""Whole numbers up to this one are exact as floats."""
DECIMALS = 6
"""Decimal places up to which a common rounding is looked for."""


MEASURED = "measured"
"""What numbers of which the user says nothing may be, if they are no counts: "boolean", "positive" or "real"."""


class ColumnSurvey:
    """What has been seen of one column.

    Parameters
    ----------
    field : Field
        What the frame says about it.
    choice : str or None
        What the user says about it: a kind or a likelihood; None if nothing.
    numbers : str or None
        The kind of numbers of which the user says nothing; None: found by their values.
    """

    def __init__(self, field: Field, choice: str | None, numbers: str | None = None) -> None:
        self.field = field
        self.choice = choice
        self.numbers = numbers
        self.row_order = RowOrder()
        self.cycles_seen = CyclesSeen()
        told = choice is not None and kind_of_choice(choice) in ("category", "ordinal")
        self.categorical = told or field.sort in ("text", "category")
        self.moments = Moments()
        self.rows = self.gaps = 0
        self.smallest, self.largest = math.inf, -math.inf
        self.whole = self.exact = True
        self.sample = np.empty(0)
        self.values, self.stride = 0, 1
        self.levels: Counter[Level] = Counter()
        self.levels_dropped = False

    def look(self, field: Field, cells: Cells, weight: np.ndarray | None) -> None:
        """Add more rows."""
        self.field = merged(self.field, field)
        seen = ~cells.missing
        self.rows += len(seen)
        self.gaps += int(cells.missing.sum())
        if not seen.any():
            return
        if self.categorical or field.sort in ("text", "category"):
            self.categorical = True
            self.count(cells.values[seen])
            return
        if cells.values.dtype.kind in "iu":
            self.exact &= int(cells.values[seen].max()) <= EXACT and int(cells.values[seen].min()) >= -EXACT
        values = field.to_floats(cells.values[seen])
        refuse_extreme(field, values)
        self.moments = self.moments.including(values, None if weight is None else weight[seen])
        self.smallest, self.largest = min(self.smallest, values.min()), max(self.largest, values.max())
        self.tighten_range(cells.values[seen])
        self.whole &= field.sort in ("integer", "boolean") or bool((values == np.round(values)).all())
        if field.sort == "time":
            self.cycles_seen.look(cells.values[seen], field.ticks)
        elif field.sort in ("integer", "float") and self.choice is None:
            self.row_order.look(cells.values[seen])
        self.add_to_sample(cells.values[seen] if field.sort in ("time", "duration") else values)

    def add_to_sample(self, values: np.ndarray) -> None:
        """Keep every `stride`-th value of all that were seen, wherever the pieces begin and end."""
        kept = values[-self.values % self.stride :: self.stride]
        self.sample = np.concatenate([self.sample, kept]) if self.values else kept
        self.values += len(values)
        while len(self.sample) >= 2 * SAMPLE:
            self.sample, self.stride = self.sample[::2].copy(), 2 * self.stride

    def tighten_range(self, values: np.ndarray) -> None:
        """Move the ends of the range of large whole numbers, which floats round, inside the range of what occurs."""
        if values.dtype.kind in "iu" and not self.exact:
            low, high = int(values.min()), int(values.max())
            if self.largest == float(high) and int(self.largest) > high:
                self.largest = math.nextafter(self.largest, -math.inf)
            if self.smallest == float(low) and int(self.smallest) < low:
                self.smallest = math.nextafter(self.smallest, math.inf)

    def count(self, values: np.ndarray) -> None:
        """Count categories; if there are very many, drop the rare ones (lossy counting, Manku and Motwani 2002)."""
        self.levels.update(values.tolist())
        if len(self.levels) > MOST_COUNTED_LEVELS:
            self.levels = Counter(dict(self.levels.most_common(MOST_COUNTED_LEVELS // 2)))
            self.levels_dropped = True

    def may_number(self) -> bool:
        """Whether the values may number the rows, or tell when each came, as far as is known."""
        return self.field.sort in ("integer", "float") and self.row_order.possible

    def identifies_rows(self, count: int) -> bool:
        """Whether each of this many values occurs once, as far as is known."""
        once = self.levels.most_common(1)[0][1] == 1 if self.levels_dropped else len(self.levels) == count
        return once and count > IDENTIFIERS

    def found_kind(self, numbered: bool) -> str:
        """Decide of which kind the column is; `numbered`: whether it only numbers the rows."""
        sort, count = self.field.sort, self.rows - self.gaps
        if count == 0 and self.empty_is_real:
            return "real"
        if count == 0:
            warn_ignored(self.field.name, "it has no values")
            return "ignored"
        if sort == "time" and self.choice in (None, "date-time"):
            return self.kind_of_times()
        if self.choice is not None:
            return kind_of_choice(self.choice)
        if numbered:
            warn_ignored(self.field.name, self.row_order.why(self.field.name))
            return "ignored"
        if sort in ("text", "category") and not self.field.ordered and self.identifies_rows(count):
            warn_ignored(self.field.name, f"each of its {count} values occurs once, so it only identifies rows")
            return "ignored"
        if sort in ("text", "category"):
            return "ordinal" if self.field.ordered else "category"
        if sort in ("integer", "float") and self.numbers not in (None, MEASURED):
            return str(self.numbers)
        if sort == "boolean" or (self.whole and sort != "duration" and (self.smallest, self.largest) == (0, 1)):
            return "boolean"
        counts = self.whole and 0 <= self.smallest <= 1 and self.largest <= MOST_COUNTED
        counts &= self.moments.mean <= MEAN_COUNTED and self.largest > self.smallest and sort != "duration"
        if counts and self.numbers != MEASURED:
            return "count"
        return "positive" if self.skewed() else "real"

    def kind_of_times(self) -> str:
        """Return the kind of a column of times that the user does not call a trend, and tell what is learned of it."""
        name, cycles = self.field.name, self.cycles()
        trend = f"columns={{{name!r}: 'trend'}}"
        if not cycles:
            warn_ignored(
                name,
                f"its times go through no day, week or year twice; {trend} learns their position on the line",
            )
            return "ignored"
        if self.choice is None:
            warnings.warn(
                f"column {name!r}: the place of its times in the {', '.join(cycles)} is learned, but not the position "
                f"on the line, outside of which every later row would lie; {trend} learns both",
                UserWarning,
                stacklevel=5,
            )
        return "date-time"

    @property
    def empty_is_real(self) -> bool:
        """Whether the user says that a column without values is one of numbers, which a stream may bring later."""
        told = self.choice is not None and kind_of_choice(self.choice) == "real"
        return told and self.field.sort in ("nothing", "float", "integer")

    def skewed(self) -> bool:
        """Whether the values are non-negative and closer to a normal distribution on a logarithmic scale."""
        if self.smallest < 0 or self.field.sort == "duration":
            return False
        linear = skewness(self.sample)
        return linear > SKEWED and abs(skewness(np.log1p(self.sample / self.log_constant()))) < linear

    def log_constant(self) -> float:
        """Return c of the logarithmic scale log(1 + x/c): a tenth of a mean that few values do not move far.

        Where nearly all values are 0, that mean is 0, and says nothing of the others; then it is that of the others.
        """
        usual = usual_mean(self.sample) or usual_mean(self.sample[self.sample > 0])
        return max(min(self.moments.mean, MOST_SKEWED * usual), 1e-300) / 10

    def column(self, numbered: bool = False) -> Column:
        """Return what is known about the column by now; `numbered`: whether it only numbers the rows."""
        kind = self.found_kind(numbered)
        name, sort = self.field.name, self.field.sort
        likelihood = likelihood_of_choice(kind if self.choice is None else self.choice)
        missing = self.gaps / self.rows if self.rows else 0.0
        if kind == "ignored":
            return Column(name, sort, kind, "", missing, wide=self.wide, ticks=self.field.ticks)
        if kind == "ordinal":
            return self.ordinal_column(likelihood, missing)
        if kind == "category":
            return self.category_column(likelihood, missing)
        if self.rows == self.gaps:
            return Column(name, "float", kind, likelihood, missing)
        self.refuse_misfit(kind)
        log_constant = self.log_constant() if kind == "positive" else 0.0
        mean, deviation = self.moments.mean, math.sqrt(self.moments.squares / self.moments.weight)
        if log_constant:
            logs = np.log1p(self.field.to_floats(self.sample) / log_constant)
            mean, deviation = float(logs.mean()), float(logs.std())
        deviation = deviation if deviation > 10 * np.finfo(float).eps * abs(mean) else 1.0
        return Column(
            name,
            sort,
            kind,
            likelihood,
            missing,
            mean,
            deviation,
            log_constant,
            float(self.smallest),
            float(self.largest),
            self.step(),
            self.wide,
            self.field.ticks,
            self.cycles() if kind in ("date-time", "trend") else (),
        )

    @property
    def wide(self) -> bool:
        """Whether a value needs two floats to be exact."""
        return self.field.sort in ("time", "duration") or not self.exact

    def counted_levels(self) -> tuple[list[Level], list[int]]:
        """Return the categories, declared ones first and others sorted, and how often each occurs."""
        known = list(dict.fromkeys([*self.field.levels, *self.levels]))
        levels = known if self.field.levels else sorted(known, key=lambda level: (str(type(level)), level))
        return levels, [self.levels[level] for level in levels]

    def ordinal_column(self, likelihood: str, missing: float) -> Column:
        """Return what is known about a column of ordered categories, whose codes the network sees."""
        levels, counts = self.counted_levels()
        codes = np.repeat(np.arange(len(levels), dtype=float), counts)
        return Column(
            self.field.name,
            self.field.sort,
            "ordinal",
            likelihood,
            missing,
            float(codes.mean()),
            float(codes.std()) or 1.0,
            largest=len(levels) - 1.0,
            step=1.0,
            ticks=self.field.ticks,
            levels=tuple(levels),
        )

    def category_column(self, likelihood: str, missing: float) -> Column:
        """Return what is known about a column of categories, each of which has a cell or shares one."""
        levels, counts = self.counted_levels()
        places, shares = pooled(counts, self.levels_dropped)
        return Column(
            self.field.name,
            self.field.sort,
            "category",
            likelihood,
            missing,
            ticks=self.field.ticks,
            levels=tuple(levels),
            places=places,
            shares=shares,
            dropped=self.levels_dropped,
        )

    def refuse_misfit(self, kind: str) -> None:
        """Raise a `ValueError` if the values cannot be of the kind that the user says."""
        problem = ""
        times = ("date-time", "trend")
        if self.field.sort in ("text", "category", "time") and kind not in times:
            problem = f"it holds {self.field.sort}"
        elif kind in times and self.field.sort != "time":
            problem = f"it holds {self.field.sort} values, not times"
        elif kind == "count" and not self.exact:
            problem = f"it goes up to {self.largest:g}"
        elif kind in ("positive", "count") and self.smallest < 0:
            problem = f"its smallest value is {self.smallest:g}"
        elif kind in ("count", "boolean") and (not self.whole or self.field.sort == "duration"):
            problem = "it has fractions" if self.field.sort == "float" else "it holds durations"
        elif kind == "boolean" and (self.smallest < 0 or self.largest > 1):
            problem = f"it goes from {self.smallest:g} to {self.largest:g}"
        if problem:
            raise ValueError(
                f"column {self.field.name!r} cannot be {kind!r}: {problem}; choose another kind in columns="
            )

    def step(self) -> float:
        """Return the number that all values are multiples of; 0 if there is none."""
        if self.field.sort in ("time", "duration"):
            return float(np.gcd.reduce(np.append(self.sample % self.field.ticks, self.field.ticks)))
        if self.whole:
            return 1.0
        for decimals in range(1, DECIMALS + 1):
            if np.array_equal(np.round(self.sample, decimals), self.sample):
                return 10.0**-decimals
        return 0.0

    def cycles(self) -> tuple[str, ...]:
        """Return the cycles of the calendar that the times repeat."""
        return self.cycles_seen.repeated(self.largest - self.smallest)


def warn_ignored(name: Name, why: str) -> None:
    """Warn that a column is kept in the table but not shown to the network."""
    warnings.warn(f"column {name!r} is ignored: {why}", UserWarning, stacklevel=5)


def usual_mean(values: np.ndarray) -> float:
    """Return the mean of values, the largest of them drawn in; 0 without any.

    >>> usual_mean(np.array([2.0, 2.0])), usual_mean(np.array([]))
    (2.0, 0.0)
    """
    return float(np.minimum(values, np.quantile(values, USUAL)).mean()) if len(values) else 0.0


def skewness(values: np.ndarray) -> float:
    """Return the third standardised moment; 0 for constant values.

    >>> skewness(np.array([0.0, 0.0, 3.0])) > 0
    True
    """
    centred = values - values.mean()
    spread = math.sqrt(float((centred**2).mean()))
    # Dividing before taking the cube: the cube of a large value would overflow.
    return float(((centred / spread) ** 3).mean()) if spread > 0 else 0.0
