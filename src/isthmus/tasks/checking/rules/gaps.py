"""Missing cells, and cells that stand for missing ones."""

from collections.abc import Iterator

import numpy as np

from isthmus.data.gaps import is_gap_text
from isthmus.tasks.checking.names import IDENTIFIERS, SUBJECTS, ends_in
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import number, of, percent

MANY, MOST = 0.05, 0.6
"""Shares of missing cells of a column that are told, and that are a warning."""
LEAST_COLUMNS, EMPTY_SHARE = 4, 0.5
"""Rows of at least so many columns of which at least this share is missing are mostly empty."""
UNSURE_WORDS = {"unknown", "unk", "undefined", "not available", "not applicable", "unspecified", "no data", "none"}
"""Words that may stand for a gap, or for a category."""
CODES = {-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999, -88, -77, 888, 777}
"""Numbers that files write in place of missing ones."""
FAR, APART, LEAST_REPEATED, LEAST_VALUES = 4.0, 1.5, 3, 10
STEPS, MIDDLE = 3.0, (0.05, 0.95)
"""It is that many times as far from the next value as any two neighbouring values in the middle of the others are."""
"""Robust deviations of a number that stands for a gap from the median and from the next value; cells; other values."""
CODE_APART = 0.5
"""The distance from the next value, as a part of the range of the rest, of a number that is written for gaps."""


@rule(
    "gaps",
    "note",
    TableSample,
    about="columns with missing cells",
    consequence="models learn with gaps and codes do not depend on them, but what is missing cannot be learned",
    mend="nothing for a fit; Imputer fills gaps; leave {column} out of X if it is nearly empty",
    fitting=True,
)
def gaps(sample: TableSample) -> Iterator[Hit]:
    """Yield columns with many missing cells."""
    for column in sample.columns:
        share = float(column.cells.missing.mean()) if len(column.cells.missing) else 0.0
        if MANY <= share < 1:
            found = of(int(column.cells.missing.sum()), len(column.cells.missing), "cells") + " are missing"
            yield Hit(found, share, (column.name,), severity="warning" if share >= MOST else "")


@rule(
    "empty-rows",
    "note",
    TableSample,
    about="rows of which most cells are missing",
    consequence="their codes are those of the mean row, and they say little in training",
    mend="leave the rows out, or look where they come from",
)
def empty_rows(sample: TableSample) -> Iterator[Hit]:
    """Yield how many rows are mostly empty."""
    columns = [column for column in sample.learned if not column.cells.missing.all()]
    if len(columns) < LEAST_COLUMNS:
        return
    missing = np.mean([column.cells.missing for column in columns], axis=0)
    usual = float(np.median(missing))
    empty = missing >= max(EMPTY_SHARE, usual + (1 - usual) / 2)
    if empty.any():
        found = of(int(empty.sum()), sample.looked_at)
        words = f"{found} lack at least {percent(max(EMPTY_SHARE, usual + (1 - usual) / 2))} of their cells"
        yield Hit(words, float(empty.mean()), rows=sample.positions(empty))


@rule(
    "gap-words",
    "warning",
    TableSample,
    about="texts that stand for missing cells in a column of categories, such as '?' or 'n/a'",
    consequence="the gap is learned as a category like any other, and nothing fills it",
    mend="{cells}.mask({cells} == '?'), with the text, makes gaps of them",
)
def gap_words(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of categories with words for gaps."""
    for column in sample.learned:
        if not column.is_words or column.distinct < 2:
            continue
        for level, count in zip(column.levels, column.counts.tolist(), strict=True):
            if not isinstance(level, str):
                continue
            unsure = level.strip().lower() in UNSURE_WORDS
            if unsure or is_gap_text(level):
                mend = "{cells}.mask({cells} == " + repr(level).replace("{", "{{").replace("}", "}}") + ")"
                mend += " makes gaps of them" + ", if they are" * unsure
                cells = of(count, int(column.counts.sum()), "cells")
                severity = "note" if unsure else ""
                yield Hit(f"{cells} are {level!r}", count, (column.name,), severity=severity, mend=mend)


@rule(
    "gap-numbers",
    "warning",
    TableSample,
    about="a number far from all others that is there several times, such as -999, or 0 among blood pressures",
    consequence="if it stands for a missing cell, it is learned as a measurement, and stretches the scale",
    mend="numpy.where({cells} == -999, numpy.nan, {cells}), with the number, makes gaps of them",
)
def gap_numbers(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of numbers with a repeated value far from the rest."""
    if sample.one_unit:
        return
    for column in sample.numbers:
        if ends_in(column.name, IDENTIFIERS | SUBJECTS):
            continue
        for value, count in far_values(column):
            mend = (
                f"numpy.where({{cells}} == {value!r}, numpy.nan, {{cells}}) makes gaps of them, if they stand for gaps"
            )
            cells = of(count, len(column.present), "cells")
            rest = column.ordered[column.ordered != value]
            found = f"{cells} are {number(value)}, all others from {number(rest[0])} to {number(rest[-1])}"
            usual = value == 0 or value in CODES
            yield Hit(found, value, (column.name,), severity="" if usual else "note", mend=mend)


def far_values(column: ColumnSample) -> Iterator[tuple[float, int]]:
    """Yield the least and the greatest value of a column if it is repeated and far from all others, and its count."""
    values = column.ordered
    for end, inner in ((values[0], values[values > values[0]]), (values[-1], values[values < values[-1]])):
        count = len(values) - len(inner)
        if count < LEAST_REPEATED or 2 * count > len(values) or len(np.unique(inner)) < LEAST_VALUES:
            continue
        if stands_for_gap(float(end), inner):
            yield float(end), count


def stands_for_gap(end: float, inner: np.ndarray) -> bool:
    """Whether a value is far from all others (n,), by size; above values that are positive, on a logarithmic scale."""
    nearest = float(inner[0] if end < inner[0] else inner[-1])
    if end in CODES and abs(end - nearest) >= CODE_APART * float(inner[-1] - inner[0]):
        return True
    if end == -1 and inner[0] == 0 and bool((inner == np.round(inner)).all()):
        return True
    median = float(np.median(inner))
    if end > nearest and median == inner[0]:
        return False  # where most cells are 0, a few large values are no gap
    if end > nearest and inner[0] >= 0 and median > 0:
        end, nearest, inner = float(np.log1p(end / median)), float(np.log1p(nearest / median)), np.log1p(inner / median)
    low, median, high = np.quantile(inner, [0.25, 0.5, 0.75])
    spread = max(float(high - low) / 1.349, 1e-12 * abs(float(median)), 1e-300)
    apart = abs(end - nearest)
    return bool(abs(end - median) >= FAR * spread and apart >= max(APART * spread, STEPS * widest_step(inner)))


def widest_step(values: np.ndarray) -> float:
    """Return the widest step between neighbouring values in the middle of values (n,) in order of size."""
    different = np.unique(values)
    low, high = (int(share * (len(different) - 1)) for share in MIDDLE)
    return float(np.diff(different[low : high + 1]).max(initial=0.0))
