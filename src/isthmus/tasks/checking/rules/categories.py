"""Categories: too many, rare, spelt in several ways, and numbers that are names."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from isthmus.data.categories import MOST_LEVELS
from isthmus.tasks.checking.names import CODES, ends_in
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.rules.identifiers import looks_identifying
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import examples, of, percent

SHARED = 0.2
"""Share of the rows in the cell of rare categories from which it is a warning."""
RARE, MANY_RARE = 5, 0.5
"""A category in fewer rows is rare; this share of the categories."""
LEAST_LEVELS = 3


@rule(
    "many-categories",
    "note",
    TableSample,
    about=f"a category with more than {MOST_LEVELS} values",
    consequence=f"the {MOST_LEVELS} most frequent ones have a cell each; all others share one, and are alike",
    mend="group the values of {column}, such as towns by county, or leave it out of X",
    fitting=True,
)
def many_categories(sample: TableSample) -> Iterator[Hit]:
    """Yield categories with more values than have cells of their own."""
    for column in categories(sample):
        if column.distinct <= MOST_LEVELS or looks_identifying(column):
            continue
        counts = np.sort(column.counts)[::-1]
        share = float(counts[MOST_LEVELS:].sum() / counts.sum())
        found = f"{column.distinct:,} values, of which the rarer ones share a cell in {percent(share)} of the rows"
        yield Hit(found, column.distinct, (column.name,), severity="warning" if share >= SHARED else "")


@rule(
    "rare-categories",
    "note",
    TableSample,
    about=f"a category of which most values are in fewer than {RARE} rows each",
    consequence="what goes with such a value cannot be learned from so few rows",
    mend="put rare values of {column} together",
    fitting=True,
)
def rare_categories(sample: TableSample) -> Iterator[Hit]:
    """Yield categories most of whose values are rare."""
    for column in categories(sample):
        rare = int((column.counts < RARE).sum())
        if LEAST_LEVELS <= column.distinct <= MOST_LEVELS and rare >= max(2, MANY_RARE * column.distinct):
            yield Hit(of(rare, column.distinct, "values") + f" are in fewer than {RARE} rows", rare, (column.name,))


def categories(sample: TableSample) -> Iterator[ColumnSample]:
    """Yield the columns that are learned as categories."""
    for column in sample.learned:
        kind = "" if column.column is None else column.column.kind
        if column.is_words and kind in ("", "category") and column.counts.sum():
            yield column


@rule(
    "spelling",
    "warning",
    TableSample,
    about="values of a category that differ only in capitals, blanks or punctuation",
    consequence="they are different categories to the model, each with a part of the rows",
    mend="{cells}.str.strip().str.lower(), or write them alike in another way",
)
def spellings(sample: TableSample) -> Iterator[Hit]:
    """Yield categories with values that are spelt in several ways."""
    for column in categories(sample):
        alike: dict[str, list[str]] = defaultdict(list)
        for level in column.levels:
            if isinstance(level, str) and (plain := "".join(filter(str.isalnum, level.casefold()))):
                alike[plain].append(level)
        several = [levels for levels in alike.values() if len(levels) > 1]
        # What is written with digits alone differs by its punctuation: "1.5" and "15".
        several = [levels for levels in several if any(map(str.isalpha, levels[0]))]
        if several and len(several) <= max(1, column.distinct // 2):
            found = (
                f"{len(several)} value{'s' * (len(several) > 1)} in several spellings, such as {examples(several[0])}"
            )
            yield Hit(found, len(several), (column.name,))


@rule(
    "numbers-as-names",
    "warning",
    TableSample,
    about="whole numbers that by the name of their column are codes, such as postcodes, and are taken for amounts",
    consequence="a code is taken to be near the next one, and between its neighbours",
    mend="columns={{{column}: 'category'}}, if the numbers are names",
    fitting=True,
)
def numbers_as_names(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of numbers whose name says that they are codes."""
    for column in sample.numbers:
        kind = "" if column.column is None else column.column.kind
        if column.whole and column.distinct >= LEAST_LEVELS and kind != "category" and ends_in(column.name, CODES):
            found = f"{column.distinct:,} whole numbers, such as {examples(column.levels)}"
            yield Hit(found, column.distinct, (column.name,))
