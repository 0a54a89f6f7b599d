"""Columns that tell rows apart, or tell to what each row belongs, and texts that are read by nobody."""

import re
from collections.abc import Iterator

import numpy as np

from isthmus.tasks.checking.names import IDENTIFIERS, SUBJECTS, ends_in
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.rules.reading import IGNORED, hits, is_told
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import of, percent

NEARLY_ALL, LEAST = 0.9, 50
"""Share of the texts that are there once in a nearly identifying column, and the least number of texts."""
DIGITS = 6
"""Whole numbers of as many digits each, all different, are made to tell rows apart."""
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LEAST_SUBJECTS, LEAST_KEYS, LEAST_IN_GROUP = 5, 20, 1.5
"""Different subjects, or keys, in a table of groups of rows, and rows of each on average."""
LEAST_TEXTS = 10
MOST_GROUPS = 0.9
"""Subjects per row beyond which few rows belong together."""
MOST_OF_PAIRS = 4
"""Columns of a table of pairs: two names, a value, a time."""
LONG, MANY_WORDS = 60, 6
"""Characters and words of a text on average from which it is one to be read."""


@rule(
    "identifier",
    "note",
    TableSample,
    about="a column that only tells rows apart: a running number, a key, names that are all different, UUIDs",
    consequence="it says nothing that rows share: ignored, it does no harm; learned, it takes room in the code and "
    "makes new rows odd",
    mend="leave {column} out of X, or columns={{{column}: 'ignored'}}",
)
def identifiers(sample: TableSample) -> Iterator[Hit]:
    """Yield the columns that are ignored as identifiers, and those that are not but look like some."""
    yield from hits(sample, IGNORED)
    for column in sample.columns:
        if column.ignored or is_told(sample, column, IGNORED):
            continue
        if column.is_words and (found := looks_identifying(column)):
            yield Hit(found, column.distinct / max(len(column.cells.missing), 1), (column.name,), severity="warning")
        elif column.whole and is_key(column) and not sample.one_unit:
            found = f"{column.distinct:,} whole numbers, each there once, that are in no order, are taken for a measure"
            yield Hit(found, float(column.distinct), (column.name,), severity="warning")


def looks_identifying(column: ColumnSample) -> str:
    """Return in words why texts nearly tell rows apart; "" if they do not."""
    texts, once = int(column.counts.sum()), int((column.counts == 1).sum())
    if texts and all(isinstance(one, str) and UUID.fullmatch(one) for one in column.levels[:LEAST]):
        return f"UUIDs, {column.distinct:,} different ones in {texts:,} rows"
    if texts >= LEAST and once >= NEARLY_ALL * texts:
        return f"{of(once, texts, 'texts')} occur once"
    return ""


def is_key(column: ColumnSample) -> bool:
    """Whether whole numbers, each there once, are made to tell rows apart: by name, or as many digits each."""
    values = column.present
    if len(values) < LEAST or column.distinct < len(values):
        return False
    if ends_in(column.name, IDENTIFIERS):
        return True
    digits = np.floor(np.log10(np.maximum(np.abs(values), 1))) + 1
    return bool(digits.min() == digits.max() >= DIGITS)


@rule(
    "groups",
    "warning",
    TableSample,
    about="a column that tells to whom or what a row belongs, with several rows of each",
    consequence="rows of one subject are alike: validation rows drawn at random are not held out, and errors measured "
    "on them are too small",
    mend="fit(X, groups={cells}), and leave {column} out of the columns that are learned",
    fitting=True,
)
def groups(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of repeated identifiers, unless groups are given."""
    if sample.groups is not None:
        return
    for column in sample.columns:
        subjects, keys = ends_in(column.name, SUBJECTS), ends_in(column.name, IDENTIFIERS)
        if not (subjects or keys) or not (column.is_words or column.whole):
            continue
        rows, least = int(column.counts.sum()), LEAST_SUBJECTS if subjects else LEAST_KEYS
        if column.distinct >= least and LEAST_IN_GROUP * column.distinct <= rows:
            each = rows / column.distinct
            yield Hit(f"{column.distinct:,} different values, {each:.1f} rows of each on average", each, (column.name,))


@rule(
    "table-of-pairs",
    "note",
    TableSample,
    about="a table of pairs, such as who rated what, of two columns of names and few others",
    consequence="a row is a pair, and names without anything else are all that is learned of it",
    mend="make a sparse matrix with a row for each of the one and a column for each of the other: "
    "scipy.sparse.coo_array((values, (rows, columns))).tocsr()",
    fitting=True,
)
def table_of_pairs(sample: TableSample) -> Iterator[Hit]:
    """Yield the two columns of a table of pairs."""
    names = [hit.columns[0] for hit in groups(sample)]
    if len(names) == 2 and len(sample.columns) <= MOST_OF_PAIRS:
        yield Hit("each row has one of the one and one of the other", float(sample.rows), tuple(names))


@rule(
    "free-text",
    "note",
    TableSample,
    about="texts of sentences",
    consequence="they are names of categories to the model: what they say is not read",
    mend="leave {column} out of X, or give numbers of it, such as columns of sklearn's TfidfVectorizer",
    fitting=True,
)
def free_texts(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of long texts."""
    for column in sample.columns:
        texts = [one for one in column.levels[:1000] if isinstance(one, str)] if column.is_words else []
        if len(texts) < LEAST_TEXTS:
            continue
        length, words = np.mean([len(one) for one in texts]), np.mean([one.count(" ") + 1 for one in texts])
        if length >= LONG and words >= MANY_WORDS:
            share = column.distinct / max(int(column.counts.sum()), 1)
            number = f"texts of {words:.0f} words on average, {percent(share)} of them different"
            yield Hit(number, float(words), (column.name,))
