"""Rows in use that a model cannot read or reads as others: columns, types, new categories, ranges, gaps."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from isthmus.tasks.checking.rows_in_use import KnownColumn, RowsInUse
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample
from isthmus.tasks.checking.wording import examples, number, of, percent

FALSE_ALARM = 1e-3
"""Probability, for all columns together, that rows like those of the training are told of."""
FEW_NEW = 0.01
"""Share of the cells up to which new categories are to be expected."""
LEAST_OUTSIDE, MORE_GAPS = 0.01, 0.05
"""Share of the cells outside of the training's range, and rise of the share of missing cells, that are told."""
NEW_LEVELS = "holds categories that it did not hold"


@rule(
    "missing-columns",
    "error",
    RowsInUse,
    about="rows without columns that the model was trained on",
    consequence="the model refuses the rows",
    mend="add {columns}; cells that are not known are None or NaN",
)
def missing_columns(rows: RowsInUse) -> Iterator[Hit]:
    """Yield the columns that are missing."""
    if rows.missing:
        many = len(rows.missing)
        yield Hit(f"{of(many, rows.schema.n_features, 'columns')} of the training are not there", many, rows.missing)


@rule(
    "new-columns",
    "error",
    RowsInUse,
    about="rows with columns that the model does not know",
    consequence="the model refuses the rows",
    mend="leave {columns} out",
)
def new_columns(rows: RowsInUse) -> Iterator[Hit]:
    """Yield the columns that are new."""
    if rows.new:
        many = len(rows.new)
        yield Hit(f"{many:,} column{'s' * (many > 1)} that the training did not have", many, rows.new)


@rule(
    "refused-rows",
    "error",
    RowsInUse,
    about="rows that the model refuses to read, such as text where numbers were",
    consequence="the model refuses the rows",
    mend="mend them as the message says",
)
def refused_rows(rows: RowsInUse) -> Iterator[Hit]:
    """Yield why the rows are refused."""
    if rows.refused and not rows.sample.unreadable:
        what, _, mend = rows.refused.splitlines()[0].partition("; ")
        yield Hit(what, 1.0, mend=mend.replace("{", "{{").replace("}", "}}"))


@rule(
    "reading-in-use",
    "warning",
    RowsInUse,
    about="values that the model reads as others, such as texts in another form, or fractions among counts",
    consequence="codes and scores are those of the values as they are read",
    mend="write the values as in training, or fit again",
)
def reading_in_use(rows: RowsInUse) -> Iterator[Hit]:
    """Yield what the reading warns of, but for new categories."""
    for message in rows.sample.said:
        if NEW_LEVELS not in message:
            what, _, mend = message.partition("; ")
            yield Hit(what, 1.0, mend=mend.replace("{", "{{").replace("}", "}}"))


@rule(
    "new-categories",
    "warning",
    RowsInUse,
    about="categories that were not there in training",
    consequence="they count as missing cells, and in the score as improbable ones",
    mend="fit again with rows that have them, or give the category that they belong to",
)
def new_categories(rows: RowsInUse) -> Iterator[Hit]:
    """Yield columns with new categories."""
    for column in rows.sample.columns:
        known = column.column
        if known is None or known.kind not in ("category", "ordinal") or known.dropped or not column.counts.sum():
            continue
        new = [level for level in column.levels if level not in set(known.levels)]
        if new:
            places = [column.levels.index(level) for level in new]
            cells = int(column.counts[places].sum())
            value = f"{len(new)} new value{'s' * (len(new) > 1)}"
            found = f"{value} in {of(cells, int(column.counts.sum()), 'cells')}, such as {examples(new)}"
            share = cells / int(column.counts.sum())
            yield Hit(found, share, (column.name,), severity="note" if share < FEW_NEW else "")


@rule(
    "outside-range",
    "warning",
    RowsInUse,
    about="more values outside of the range of the training than chance brings",
    consequence="reconstructions stay inside of that range, or are guesses beyond it",
    mend="look whether the unit of {column} has changed; fit again with such rows if they are to be expected",
)
def outside_range(rows: RowsInUse) -> Iterator[Hit]:
    """Yield columns with too many values outside of their range in training."""
    for column, known in pairs(rows):
        values = column.present
        if known.column is not None and known.column.kind in ("category", "ordinal", "boolean", "date-time"):
            continue
        outside = int(((values < known.smallest) | (values > known.largest)).sum())
        # The share beyond the ends of n others has the distribution Beta(2, n - 1), as two order statistics have it.
        chance = stats.betabinom.sf(outside - 1, len(values), 2, max(known.rows - 1, 1)) if outside else 1.0
        share = outside / max(len(values), 1)
        if chance <= FALSE_ALARM / max(len(rows.known), 1) and share >= LEAST_OUTSIDE:
            ends = f"{number(known.smallest)} to {number(known.largest)} in training"
            now = f"{number(values.min())} to {number(values.max())} now"
            found = f"{of(outside, len(values), 'values')} are outside of the range: {ends}, {now}"
            yield Hit(found, share, (column.name,))


@rule(
    "more-gaps",
    "warning",
    RowsInUse,
    about="more missing cells than in training",
    consequence="codes rest on fewer cells than those that were learned",
    mend="look where the values of {column} are lost",
)
def more_gaps(rows: RowsInUse) -> Iterator[Hit]:
    """Yield columns with more missing cells than in training."""
    trained = {} if rows.schema.columns is None else {column.name: column.missing for column in rows.schema.columns}
    for column in rows.sample.columns:
        before = trained.get(column.name, 0.0)
        missing, cells = int(column.cells.missing.sum()), len(column.cells.missing)
        if not missing or missing / cells < before + MORE_GAPS * (before > 0):
            continue
        # Fisher's exact test: how so many of all gaps come to be among the new rows.
        then = round(rows.trained)
        chance = stats.hypergeom.sf(missing - 1, then + cells, missing + round(before * then), cells)
        if chance <= FALSE_ALARM / len(rows.sample.columns):
            found = f"{of(missing, cells, 'cells')} are missing; {percent(before)} in training"
            yield Hit(found, missing / cells, (column.name,))


def pairs(rows: RowsInUse) -> Iterator[tuple[ColumnSample, KnownColumn]]:
    """Yield the columns of numbers whose values in training are known, with what is known."""
    for column in rows.sample.columns:
        known = rows.known.get(column.name)
        if known is not None and not column.is_words and len(column.present):
            yield column, known


def shares_now(column: ColumnSample, known: KnownColumn) -> np.ndarray | None:
    """Return how often each cell of a category is now, (cells,), the unknown one last; None for other columns."""
    if known.column is None or known.column.kind != "category":
        return None
    counts = np.zeros(len(known.column.shares))
    cell_of = dict(zip(known.column.levels, known.column.places, strict=False))
    for level, count in zip(column.levels, column.counts.tolist(), strict=True):
        counts[cell_of.get(level, known.column.places[-1])] += count  # type: ignore[call-overload]
    return counts
