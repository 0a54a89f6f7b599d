"""Columns that say what others say: equal, renamed, rising together, or sums of others."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.linalg

from isthmus.tasks.checking.rule import MOST_FINDINGS, Hit, named, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample

FEW_LEVELS = 100
"""Values of a column up to which it may be another column's names."""
LEAST_ROWS, LEAST_OTHERS = 20, 10
"""Rows from which agreement is no chance, and how many must differ from the most frequent value."""
STRAIGHT = 1 - 1e-9
"""Correlation of numbers of which the one is the other in another unit."""
MOST_COLUMNS, MOST_ROWS = 300, 5000
"""Numbers among which sums are looked for, and rows."""
RISING = "they rise or fall together in every row, on a curve"
PAIRED = "each number of the one goes with one number of the other"
FOLLOWING = (RISING, PAIRED)
"""How numbers follow from each other that are not the same in another unit."""
EXACT, MEMBER = 3e-4, 1e-3
"""Error of a sum of rounded numbers, and the least weight of its members in standard deviations."""


@rule(
    "duplicate-column",
    "warning",
    TableSample,
    about="columns that hold the same: equal cells, other names for the same categories, or numbers in other units",
    consequence="what they say counts twice in errors and scores",
    mend="leave all but one of {columns} out of X",
    fitting=True,
)
def duplicate_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield columns that hold the same."""
    found = [(alike, how) for alike, how in same_columns(sample) if how not in FOLLOWING]
    if len(found) <= MOST_FINDINGS:
        yield from (Hit(how, float(len(alike)), tuple(column.name for column in alike)) for alike, how in found)
        return
    columns = sum(len(alike) for alike, _ in found)
    (one, other, *_), how = found[0]
    number = (
        f"{columns:,} columns in {len(found):,} groups that hold the same; in {one.name!r} and {other.name!r} {how}"
    )
    # All but one of each group could be left out.
    again = tuple(column.name for alike, _ in found for column in alike[1:])
    yield Hit(number, float(columns), again, mend="leave {columns} out of X")


@rule(
    "dependent-columns",
    "note",
    TableSample,
    about="columns that rise or fall together in every row, or are sums of others",
    consequence="the code needs fewer numbers than there are columns, and their common part counts more than once",
    mend="leave one of them out of X if it is made from the others",
    fitting=True,
)
def dependent_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield columns that follow from others."""
    told: set[object] = set()
    for alike, how in same_columns(sample):
        told |= {column.name for column in alike[1:]}
        if how in FOLLOWING:
            yield Hit(how, 1.0, tuple(column.name for column in alike))
    free = [column for column in sample.numbers if column.name not in told]
    for column, others in sums(free) if not sample.one_unit else ():
        yield Hit(f"a sum of multiples of {named([one.name for one in others])}", len(others), (column.name,))


def same_columns(sample: TableSample) -> Iterator[tuple[list[ColumnSample], str]]:
    """Yield columns that say the same, and how, in words."""
    groups: dict[object, list[ColumnSample]] = {}
    for column in sample.learned:
        if sample.looked_at >= LEAST_ROWS and says_enough(column):
            groups.setdefault(key_of(column, exact=sample.one_unit), []).append(column)
    for alike in groups.values():
        if len(alike) > 1:
            yield alike, how_alike(alike)


def says_enough(column: ColumnSample) -> bool:
    """Whether enough cells differ from the most frequent one."""
    return column.distinct > 1 and int(column.counts.sum() - column.counts.max()) >= LEAST_OTHERS


def key_of(column: ColumnSample, exact: bool) -> object:
    """Return what columns that say the same have in common."""
    codes = column.codes
    if exact:
        return column.values.tobytes()
    # Values that are all different go with any others, one with one.
    repeated = 2 * column.distinct <= column.counts.sum()
    if repeated and (column.is_words or column.distinct <= FEW_LEVELS):
        return first_seen(codes).tobytes()
    if column.is_words:
        return tuple(column.levels), codes.tobytes()
    flipped = np.where(codes >= 0, column.distinct - 1 - codes, -1)
    return min(codes.tobytes(), flipped.tobytes())


def first_seen(codes: np.ndarray) -> np.ndarray:
    """Return codes (n,) numbered in the order in which they are first seen; those below 0 as they are."""
    levels, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.empty(len(levels), dtype=np.int64)
    shown = levels >= 0
    order[shown] = np.argsort(np.argsort(first[shown]))
    order[~shown] = -1
    return order[inverse]


def how_alike(alike: Sequence[ColumnSample]) -> str:
    """Return how columns with a common key are alike."""
    one = alike[0]
    if all(column.is_words == one.is_words for column in alike):
        equal = (np.array_equal(column.values, one.values, equal_nan=True) for column in alike[1:])
        if all(equal) and (not one.is_words or all(column.levels == one.levels for column in alike[1:])):
            return "all their cells are equal"
    there = np.all([np.isfinite(column.values) for column in alike], axis=0)
    if not any(column.is_words for column in alike) and all(
        abs(float(np.corrcoef(one.values[there], column.values[there])[0, 1])) > STRAIGHT for column in alike[1:]
    ):
        return "they are multiples of each other, but for a constant"
    if any(column.is_words for column in alike):
        return "each value of the one goes with one value of the other"
    return PAIRED if 2 * one.distinct <= one.counts.sum() and one.distinct <= FEW_LEVELS else RISING


def sums(columns: Sequence[ColumnSample]) -> Iterator[tuple[ColumnSample, list[ColumnSample]]]:
    """Yield columns that are exact sums of multiples of others, and these."""
    columns = [column for column in columns if len(column.present) == len(column.values)][:MOST_COLUMNS]
    if len(columns) < 3 or len(columns[0].values) < max(LEAST_ROWS, 2 * len(columns)):
        return
    rows = np.linspace(0, len(columns[0].values) - 1, min(MOST_ROWS, len(columns[0].values))).astype(np.int64)
    cells = np.stack([column.values[rows] for column in columns], axis=1)
    spread = cells.std(axis=0)
    varies = np.flatnonzero(spread > 1e-12 * np.abs(cells).max(axis=0))
    cells = (cells[:, varies] - cells[:, varies].mean(axis=0)) / spread[varies]
    if not np.isfinite(cells).all() or cells.shape[1] < 3:
        return
    triangle, order = scipy.linalg.qr(cells, mode="r", pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > EXACT * np.sqrt(len(rows))).sum())
    for place in order[rank:]:
        weights = np.linalg.lstsq(cells[:, order[:rank]], cells[:, place], rcond=None)[0]
        members = order[:rank][np.abs(weights) > MEMBER]
        if len(members) > 1:
            yield columns[varies[place]], [columns[varies[member]] for member in members]
