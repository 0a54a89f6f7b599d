"""Clocks, and rows that come in an order: of time, of the target, or of something that neighbours share."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from isthmus.data.clocks import are_unix_times, in_order
from isthmus.tasks.checking.names import TIMES, ends_in
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.rules.reading import CLOCKS, hits
from isthmus.tasks.checking.samples import TableSample
from isthmus.tasks.checking.targets import is_class, named_target
from isthmus.tasks.checking.wording import number

LEAST_ROWS = 50
"""Rows from which an order is told from chance."""
LEAST_TIMES = 20
SINCE_1973 = 1e8
"""Seconds from 1970 to 1973: smaller numbers are times in no file."""
ALIKE = 0.8
"""Median correlation of numbers with those of the row before from which neighbours are alike."""
SORTED = 0.2
"""Changes of the class from row to row, as a part of those in random order."""
UNITS = ((1.0, "seconds"), (1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds"))


@rule(
    "clock",
    "note",
    TableSample,
    about="a column that tells when a row came: seconds since 1970, dates as numbers, a counter",
    consequence="every later row lies outside of what was learned: ignored, it does no harm; learned, it makes later "
    "rows odd",
    mend="pandas.to_datetime makes times of {column}, whose place in the day and week is learned; or leave it out of X",
)
def clocks(sample: TableSample) -> Iterator[Hit]:
    """Yield the columns that are ignored as clocks, and those of seconds since 1970 that are not."""
    yield from hits(sample, CLOCKS)
    for column in sample.learned:
        values = column.present
        if not column.whole or column.distinct <= LEAST_TIMES:
            continue
        units = [pair for pair in UNITS if values.min() >= SINCE_1973 * pair[0] and values.max() <= 2e9 * pair[0]]
        if are_unix_times(values) or (units and ends_in(column.name, TIMES)):
            unit, name = units[0]
            ends = [f"{datetime.fromtimestamp(float(v) / unit, UTC):%Y-%m-%d}" for v in (values.min(), values.max())]
            found = (
                f"numbers from {number(values.min())} to {number(values.max())} are {name} since 1970: {ends[0]} to "
            )
            yield Hit(found + ends[1], float(values.max()), (column.name,), severity="warning")


@rule(
    "rows-in-time",
    "note",
    TableSample,
    about="rows in the order of a column of times or of a clock",
    consequence="validation rows drawn at random lie between rows that were trained on, and what the model will meet "
    "comes after all of them",
    mend="validation='last' holds out the last rows; fit(X, groups=...) keeps days or runs together",
    fitting=True,
)
def rows_in_time(sample: TableSample) -> Iterator[Hit]:
    """Yield the column by whose times the rows are sorted."""
    if sample.looked_at < LEAST_ROWS:
        return
    told = {name for hit in hits(sample, CLOCKS) for name in hit.columns}
    for column in sample.columns:
        times = column.field.sort == "time" or column.name in told
        if times and column.distinct > LEAST_TIMES and in_order(column.present):
            alike = neighbours(sample)
            found = "the rows are in its order"
            if alike is not None and alike >= ALIKE:
                found += f", and neighbouring rows are alike (median correlation {alike:.2f})"
            strong = "warning" if alike is not None and alike >= ALIKE else ""
            yield Hit(found, 0.0 if alike is None else alike, (column.name,), severity=strong)
            return


@rule(
    "neighbours-alike",
    "note",
    TableSample,
    about="rows that are like the row before, where no column tells their order",
    consequence="rows are in an order; if it is one of time, validation rows drawn at random are not held out",
    mend="validation='last' if rows came in this order, fit(X, groups=...) if runs of rows belong together; nothing if "
    "they are sorted by a class",
    fitting=True,
)
def neighbours_alike(sample: TableSample) -> Iterator[Hit]:
    """Yield how alike neighbouring rows are."""
    ordered = any(True for _ in rows_in_time(sample)) or any(True for _ in sorted_by_target(sample))
    alike = neighbours(sample)
    if not ordered and alike is not None and alike >= ALIKE:
        yield Hit(f"the median correlation of numbers with those of the row before is {alike:.2f}", alike)


def neighbours(sample: TableSample) -> float | None:
    """Return the median rank correlation of columns with themselves one row before; None if it says nothing."""
    columns = [column for column in sample.numbers if column.distinct > 2 and not np.isnan(column.values).any()]
    columns = [column for column in columns if np.isfinite(column.values).all() and not in_order(column.values)]
    if sample.looked_at < LEAST_ROWS or sample.images or not columns or 2 * len(columns) < len(sample.learned):
        return None
    found = []
    for column in columns[:200]:
        ranks = column.codes.astype(np.float64)
        before, after = ranks[:-1], ranks[1:]
        if before.std() > 0 and after.std() > 0:
            found.append(float(np.corrcoef(before, after)[0, 1]))
    return float(np.median(found)) if found else None


@rule(
    "sorted-by-target",
    "note",
    TableSample,
    about="rows sorted by the target",
    consequence="the last rows are of one class: validation='last', and splits without shuffling, hold out what was "
    "never seen",
    mend="shuffle the rows before any split of your own; isthmus draws its validation rows at random",
    fitting=True,
)
def sorted_by_target(sample: TableSample) -> Iterator[Hit]:
    """Yield how seldom the target changes from row to row, if it does so much less than by chance."""
    target = sample.target
    if target is None or sample.looked_at < LEAST_ROWS or target.distinct < 2:
        return
    codes = target.codes[target.codes >= 0]
    if not is_class(target):
        if in_order(codes.astype(np.float64)):
            yield Hit("the target rises or falls from row to row", 1.0, named_target(target))
        return
    changes = int((np.diff(codes) != 0).sum())
    expected = (len(codes) - 1) * (1 - float(((target.counts / target.counts.sum()) ** 2).sum()))
    if changes <= SORTED * expected and expected >= 10:
        number = f"the class changes {changes:,} times from row to row; {expected:,.0f} times in random order"
        yield Hit(number, changes / expected, named_target(target))
