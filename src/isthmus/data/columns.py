"""Columns of a table: what kind each is, found by looking at it, and what has to be known to bring it to a network.

A `Survey` looks at a table, whole or piece by piece, and ends in a `Column` for each of its columns.
"""

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from isthmus.core.choices import refuse_unknown
from isthmus.data.frames import TICKS_A_DAY, Cells, Field, merged

KINDS = {
    "real": "gaussian",
    "positive": "gaussian",
    "ordinal": "gaussian",
    "date-time": "gaussian",
    "boolean": "bernoulli",
    "category": "categorical",
    "count": "negative_binomial",
    "ignored": "",
}
"""The kinds of columns, and the likelihood of each."""
LIKELIHOODS = {"student_t": "real", "poisson": "count", "gaussian": "real", "negative_binomial": "count"}
"""Likelihoods that a user may name in the place of a kind, and which kind has them."""

MOST_LEVELS = 64
"""Categories that a network tells apart; rarer ones are pooled."""
MOST_COUNTED, MEAN_COUNTED = 1000, 50
"""Whole numbers from 0 or 1 on, no larger and on average no larger, are counts."""
SKEWED = 2.0
"""Skewness from which on a positive column is seen on a logarithmic scale."""
IDENTIFIERS = 20
"""A column of text with more values than that, all of them different, tells rows apart and nothing else."""
MOST_COUNTED_LEVELS = 100_000
"""Categories that are counted at a time."""
SAMPLE = 4096
"""Values of a column that are kept to find its skewness and its rounding."""
EXACT = 2**53
"""Whole numbers up to this one are exact as floats."""
LARGEST = 1e150
"""The square of a larger number, summed over a table, overflows float64."""
DAYS = (-719_162, 2_932_896)
"""The years 1 to 9999, in days since 1970."""
DECIMALS = 6


@dataclass(frozen=True)
class Column:
    """What is known of a column, and how a network sees it."""

    name: Any
    sort: str
    kind: str
    likelihood: str
    missing: float
    """Share of the cells that are missing."""
    mean: float = 0.0
    """Of the values as the network sees them before they are scaled (on their logarithmic scale)."""
    deviation: float = 1.0
    bend: float = 0.0
    """c of the logarithmic scale log(1 + x/c); 0 for a straight one."""
    smallest: float = 0.0
    largest: float = 0.0
    step: float = 0.0
    """What all values are multiples of (0.01, 1, ...); 0 where they are not. Of times: in ticks."""
    wide: bool = False
    """Whether a value takes two floats to be exact."""
    ticks: int = 1
    """Of times: how many a day has."""
    cycles: tuple[str, ...] = ()
    """Of times: "day", "week", "year", where the values go around them."""
    levels: tuple[Any, ...] = ()
    """Categories, by code."""
    places: tuple[int, ...] = ()
    """The cell of each category, and last the one of unknown categories."""
    shares: tuple[float, ...] = ()
    """Of each category's cell."""

    @property
    def numbers(self) -> int:
        """How many floats hold a value exactly."""
        return 2 if self.wide else 1

    @property
    def scaling(self) -> str:
        """How the values are scaled, in words."""
        if self.kind == "category":
            return f"{len(self.shares)} cells"
        if self.kind == "date-time":
            return f"standard, and the place in the {', '.join(self.cycles)}" if self.cycles else "standard"
        return {"real": "standard", "ordinal": "standard", "positive": f"log(1 + x/{self.bend:.3g}), standard"}.get(
            self.kind, "none"
        )


class Columns(tuple[Column, ...]):
    """The columns of a table; printed as a table of what each is taken for."""

    def __repr__(self) -> str:
        rows = [("column", "kind", "scaling", "likelihood", "missing")]
        rows += [(str(c.name), c.kind, c.scaling, c.likelihood or "none", f"{c.missing:.1%}") for c in self]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


class Moments(NamedTuple):
    """Number, mean and sum of squares about it of weighted values, which can be put together (Chan et al. 1983)."""

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def and_those_of(self, values: np.ndarray, weight: np.ndarray | None) -> "Moments":
        """Take in more values."""
        if not len(values):
            return self
        total = float(len(values) if weight is None else weight.sum())
        mean = float(np.average(values, weights=weight))
        squares = float(np.average((values - mean) ** 2, weights=weight)) * total
        both = self.weight + total
        if both == 0:
            return self
        apart = mean - self.mean
        return Moments(
            both, self.mean + apart * total / both, self.squares + squares + apart**2 * self.weight * total / both
        )


class ColumnSurvey:
    """What has been seen of one column.

    Parameters
    ----------
    field
        What the frame says of it.
    kind
        What the user says that it is; None leaves it to be found.
    """

    def __init__(self, field: Field, kind: str | None) -> None:
        self.field = field
        self.kind = kind
        self.counted = kind in ("category", "ordinal") or field.sort in ("text", "category")
        self.moments = Moments()
        self.rows = self.gaps = 0
        self.smallest, self.largest = math.inf, -math.inf
        self.whole = self.exact = True
        self.sample = np.empty(0)
        self.values, self.apart = 0, 1
        self.levels: Counter[Any] = Counter()
        self.forgotten = False

    def look(self, field: Field, cells: Cells, weight: np.ndarray | None) -> None:
        """Take in more rows."""
        self.field = merged(self.field, field)
        seen = ~cells.missing
        self.rows += len(seen)
        self.gaps += int(cells.missing.sum())
        if not seen.any():
            return
        if self.counted or field.sort in ("text", "category"):
            self.counted = True
            self.count(cells.values[seen])
            return
        if cells.values.dtype.kind in "iu":
            self.exact &= int(cells.values[seen].max()) <= EXACT and int(cells.values[seen].min()) >= -EXACT
        values = in_units(field, cells.values[seen])
        refuse_extreme(field, values)
        self.moments = self.moments.and_those_of(values, None if weight is None else weight[seen])
        self.smallest, self.largest = min(self.smallest, values.min()), max(self.largest, values.max())
        self.within(cells.values[seen])
        self.whole &= field.sort in ("integer", "boolean") or bool((values == np.round(values)).all())
        self.sample_of(cells.values[seen] if field.sort in ("time", "duration") else values)

    def sample_of(self, values: np.ndarray) -> None:
        """Keep values that stand equally far apart in all that was seen, however it was cut into pieces."""
        kept = values[-self.values % self.apart :: self.apart]
        self.sample = np.concatenate([self.sample, kept]) if self.values else kept
        self.values += len(values)
        while len(self.sample) >= 2 * SAMPLE:
            self.sample, self.apart = self.sample[::2].copy(), 2 * self.apart

    def within(self, values: np.ndarray) -> None:
        """Keep the ends of large whole numbers, which floats round, on the side of what occurs."""
        if values.dtype.kind in "iu" and not self.exact:
            low, high = int(values.min()), int(values.max())
            if self.largest == float(high) and int(self.largest) > high:
                self.largest = math.nextafter(self.largest, -math.inf)
            if self.smallest == float(low) and int(self.smallest) < low:
                self.smallest = math.nextafter(self.smallest, math.inf)

    def count(self, values: np.ndarray) -> None:
        """Count categories; of very many, those that are rare are forgotten (Manku and Motwani 2002)."""
        self.levels.update(values.tolist())
        if len(self.levels) > MOST_COUNTED_LEVELS:
            self.levels = Counter(dict(self.levels.most_common(MOST_COUNTED_LEVELS // 2)))
            self.forgotten = True

    def tells_rows(self, count: int) -> bool:
        """Whether each of that many values occurs once, as far as is known."""
        once = self.levels.most_common(1)[0][1] == 1 if self.forgotten else len(self.levels) == count
        return once and count > IDENTIFIERS

    def found_kind(self) -> str:
        """Say of which kind the column is."""
        sort, count = self.field.sort, self.rows - self.gaps
        if count == 0:
            warn_ignored(self.field.name, "no value is there")
            return "ignored"
        if self.kind is not None:
            return LIKELIHOODS.get(self.kind, self.kind)
        if sort in ("text", "category") and not self.field.ordered and self.tells_rows(count):
            warn_ignored(self.field.name, f"each of its {count} values occurs once, so that it tells nothing but rows")
            return "ignored"
        if sort in ("text", "category"):
            return "ordinal" if self.field.ordered else "category"
        if sort == "time":
            return "date-time"
        if sort == "boolean" or (self.whole and sort != "duration" and (self.smallest, self.largest) == (0, 1)):
            return "boolean"
        counts = self.whole and 0 <= self.smallest <= 1 and self.largest <= MOST_COUNTED
        if counts and self.moments.mean <= MEAN_COUNTED and self.largest > self.smallest and sort != "duration":
            return "count"
        return "positive" if self.skewed() else "real"

    def skewed(self) -> bool:
        """Whether values of at least 0 lie nearer to a bell on a logarithmic scale."""
        if self.smallest < 0 or self.field.sort == "duration":
            return False
        straight = skewness(self.sample)
        return straight > SKEWED and abs(skewness(np.log1p(self.sample / self.bend()))) < straight

    def bend(self) -> float:
        """Return c of the logarithmic scale log(1 + x/c): a tenth of the mean."""
        return max(self.moments.mean, 1e-300) / 10

    def column(self) -> Column:
        """Return what is known of the column now."""
        kind = self.found_kind()
        name, sort = self.field.name, self.field.sort
        likelihood = self.kind if self.kind in LIKELIHOODS else KINDS[kind]
        missing = self.gaps / self.rows if self.rows else 0.0
        if kind in ("category", "ordinal"):
            return self.of_levels(kind, missing)
        if kind == "ignored":
            return Column(name, sort, kind, "", missing, wide=self.wide, ticks=ticks(self.field))
        self.refuse_misfit(kind)
        bend = self.bend() if kind == "positive" else 0.0
        mean, deviation = self.moments.mean, math.sqrt(self.moments.squares / self.moments.weight)
        if bend:
            logs = np.log1p(in_units(self.field, self.sample) / bend)
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
            bend,
            float(self.smallest),
            float(self.largest),
            self.step(),
            self.wide,
            ticks(self.field),
            self.cycles() if kind == "date-time" else (),
        )

    @property
    def wide(self) -> bool:
        """Whether a value takes two floats to be exact."""
        return self.field.sort in ("time", "duration") or not self.exact

    def of_levels(self, kind: str, missing: float) -> Column:
        """Return what is known of a column of categories."""
        declared = list(dict.fromkeys([*self.field.levels, *self.levels]))
        ordered = declared if self.field.levels else sorted(declared, key=lambda level: (str(type(level)), level))
        count = [self.levels[level] for level in ordered]
        known = (self.field.name, self.field.sort, kind)
        if kind == "ordinal":
            codes = np.repeat(np.arange(len(ordered), dtype=float), count)
            return Column(
                *known,
                "gaussian",
                missing,
                float(codes.mean()),
                float(codes.std()) or 1.0,
                largest=len(ordered) - 1.0,
                step=1.0,
                ticks=ticks(self.field),
                levels=tuple(ordered),
            )
        places, shares = pooled(count)
        return Column(
            *known,
            "categorical",
            missing,
            ticks=ticks(self.field),
            levels=tuple(ordered),
            places=places,
            shares=shares,
        )

    def refuse_misfit(self, kind: str) -> None:
        """Raise a `ValueError` where the values cannot be of the kind that the user says."""
        problem = ""
        if self.field.sort in ("text", "category", "time") and kind != "date-time":
            problem = f"it holds {self.field.sort}"
        elif kind == "date-time" and self.field.sort != "time":
            problem = f"it holds no times but {self.field.sort} values"
        elif kind == "count" and not self.exact:
            problem = f"it goes up to {self.largest:g}"
        elif kind in ("positive", "count") and self.smallest < 0:
            problem = f"its smallest value is {self.smallest:g}"
        elif kind in ("count", "boolean") and (not self.whole or self.field.sort == "duration"):
            problem = "it has fractions" if self.field.sort == "float" else "it holds durations"
        elif kind == "boolean" and (self.smallest < 0 or self.largest > 1):
            problem = f"it goes from {self.smallest:g} to {self.largest:g}"
        if problem:
            raise ValueError(f"column {self.field.name!r} cannot be {kind!r}: {problem}; take another kind in columns=")

    def step(self) -> float:
        """Return what all values are multiples of."""
        if self.field.sort in ("time", "duration"):
            return float(np.gcd.reduce(np.append(self.sample % ticks(self.field), ticks(self.field))))
        if self.whole:
            return 1.0
        for decimals in range(1, DECIMALS + 1):
            if np.array_equal(np.round(self.sample, decimals), self.sample):
                return 10.0**-decimals
        return 0.0

    def cycles(self) -> tuple[str, ...]:
        """Return the cycles of the calendar that the times go around."""
        within_days = bool((self.sample % ticks(self.field)).any())
        span = self.largest - self.smallest
        return tuple(
            name for name, is_there in (("day", within_days), ("week", span >= 14), ("year", span >= 366)) if is_there
        )


def ticks(field: Field) -> int:
    """Return how many ticks of its unit a day has."""
    return TICKS_A_DAY[field.unit] if field.unit else 1


def in_units(field: Field, values: np.ndarray) -> np.ndarray:
    """Return values as floats: times and durations in days."""
    return values.astype(np.float64) / ticks(field)


def refuse_extreme(field: Field, values: np.ndarray) -> None:
    """Raise a `ValueError` for infinite numbers, ones too large to be squared, and times outside the calendar."""
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise ValueError(
            f"column {field.name!r} has {infinite} infinite values; make them missing (NaN) or finite numbers"
        )
    if not len(values):
        return
    extreme = values[np.argmax(np.abs(values))]
    if abs(extreme) > LARGEST:
        raise ValueError(
            f"column {field.name!r} has values too large to be squared ({extreme:g}); divide it by a large number"
        )
    if field.sort == "time" and (values.min() < DAYS[0] or values.max() > DAYS[1] + 1):
        raise ValueError(f"column {field.name!r} has times outside the years 1 to 9999; make them missing (NaT)")


def warn_ignored(name: Any, why: str) -> None:
    """Warn that a column is kept but not looked at."""
    warnings.warn(f"column {name!r} is ignored: {why}", UserWarning, stacklevel=5)


def skewness(values: np.ndarray) -> float:
    """Return the third standardised moment; 0 for constant values."""
    centred = values - values.mean()
    spread = math.sqrt(float((centred**2).mean()))
    # Divided first: the cube of a large value would overflow.
    return float(((centred / spread) ** 3).mean()) if spread > 0 else 0.0


def pooled(counts: Sequence[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the cell of each category and of unknown ones, which share the last with rare categories, and the shares.

    The commonest `MOST_LEVELS` categories that occur have cells of their own.
    """
    order = sorted((code for code, count in enumerate(counts) if count), key=lambda code: -counts[code])
    own = {code: cell for cell, code in enumerate(sorted(order[:MOST_LEVELS]))}
    places = (*(own.get(code, len(own)) for code in range(len(counts))), len(own))
    found = np.zeros(len(own) + 1)
    np.add.at(found, list(places[:-1]), counts)
    # Half a row more for what was never seen, so that nothing has probability 0 (Krichevsky and Trofimov 1981).
    found += 0.5 * (found == 0)
    return places, tuple((found / found.sum()).tolist())


class Survey:
    """What has been seen of a table's columns.

    Parameters
    ----------
    kinds
        What the user says of columns, by name: a kind, or the likelihood of a kind.

    Examples
    --------
    >>> survey = Survey({})
    >>> cells = Cells(np.array([1.5, 0.0, 2.5]), np.array([False, True, False]))
    >>> survey.look([Field("x", "float", "float64")], [cells])
    >>> print(survey.columns())
    column  kind  scaling   likelihood  missing
    x       real  standard  gaussian    33.3%
    """

    def __init__(self, kinds: Mapping[Any, str]) -> None:
        for kind in kinds.values():
            refuse_unknown("kind of column", kind, [*KINDS, *LIKELIHOODS])
        self.kinds = kinds
        self.found: list[ColumnSurvey] = []

    def look(self, fields: Sequence[Field], columns: Sequence[Cells], weight: np.ndarray | None = None) -> None:
        """Take in more rows of the same columns."""
        if not self.found:
            names = [field.name for field in fields]
            unknown = [name for name in self.kinds if name not in names]
            if unknown:
                raise ValueError(f"columns= names {unknown[0]!r}, which the table does not have; it has {names[:10]}")
            self.found = [ColumnSurvey(field, self.kinds.get(field.name)) for field in fields]
        for survey, field, cells in zip(self.found, fields, columns, strict=True):
            survey.look(field, cells, weight)

    def columns(self) -> Columns:
        """Return what is known of the columns now."""
        return Columns(survey.column() for survey in self.found)
