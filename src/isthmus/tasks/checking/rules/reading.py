"""What the reading of a table says: that a fit would refuse it, ignore columns, or take them for something."""

import re
from collections.abc import Iterator

from isthmus.data.fields import Name
from isthmus.data.gaps import is_gap_text
from isthmus.data.time_texts import TimeText
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample, SparseSample, TableSample
from isthmus.tasks.checking.wording import number

IGNORED = re.compile(r"is ignored: each of its|each there once, number the rows|numbers the rows or tells when")
CLOCKS = re.compile(r"is ignored: its numbers (rise or fall|are times)|is ignored: its times go through")
EMPTY = re.compile(r"is ignored: it has no values")
CYCLES = re.compile(r"the place of its times in the")
CODES = re.compile(r"holds whole numbers as text")
HALF_READ = re.compile(r"is taken as text")
KNOWN = (IGNORED, CLOCKS, EMPTY, CYCLES, CODES, HALF_READ)
"""What the reading warns of, each with a rule of its own."""
SHARE = re.compile(r"(\d+) of its (\d+) values")


def heard(sample: TableSample, pattern: re.Pattern[str]) -> Iterator[tuple[Name | None, str, str]]:
    """Yield what the reading said of this pattern: the column, what it is, and what to do."""
    for message in sample.said:
        if not pattern.search(message):
            continue
        name = next((one.name for one in sample.columns if message.startswith(f"column {one.name!r}")), None)
        text = message if name is None else message.removeprefix(f"column {name!r}").lstrip(": ").removeprefix("is ")
        what, _, mend = text.partition("; ")
        yield name, what, mend.replace("{", "{{").replace("}", "}}")


def hits(sample: TableSample, pattern: re.Pattern[str]) -> Iterator[Hit]:
    """Yield what the reading said of this pattern, with the number of different values of the column."""
    known = {column.name: column for column in sample.columns}
    for name, what, mend in heard(sample, pattern):
        value = 1.0 if name is None else float(known[name].distinct)
        if mend and what.startswith("ignored"):
            mend = f"nothing, unless they are to be learned: {mend}"
        yield Hit(what, value, () if name is None else (name,), mend=mend)


@rule(
    "refused",
    "error",
    TableSample,
    about="a table that `fit` refuses",
    consequence="no model can be fitted",
    mend="mend the table as the message says",
    fitting=True,
)
def refused(sample: TableSample) -> Iterator[Hit]:
    """Yield why a fit refuses the table."""
    if sample.refused:
        yield Hit(sample.refused.splitlines()[0], 1.0)


@rule(
    "refused-matrix",
    "error",
    SparseSample,
    about="a sparse matrix that `fit` refuses",
    consequence="no model can be fitted",
    mend="mend the matrix as the message says",
    fitting=True,
)
def refused_matrix(sample: SparseSample) -> Iterator[Hit]:
    """Yield why a fit refuses the matrix."""
    if sample.refused:
        yield Hit(sample.refused.splitlines()[0], 1.0)


@rule(
    "unreadable-column",
    "error",
    TableSample,
    about="a column of several types, such as numbers among texts, or of a type that is no number, category or time",
    consequence="`fit` refuses the table",
    mend="make one type of the column: {cells}.astype(str), or pandas.to_numeric({cells}, errors='coerce')",
)
def unreadable_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield the columns that cannot be read."""
    for one in sample.unreadable:
        text = one.why.removeprefix(f"column {one.name!r}").strip(" :")
        what, _, mend = text.partition("; ")
        yield Hit(what, 1.0, (one.name,), mend=mend.replace("{", "{{").replace("}", "}}"))


@rule(
    "half-read-text",
    "warning",
    TableSample,
    about="text of which most reads as numbers or dates, and some does not, or not in one way",
    consequence="every different text is a category, so that the order and the distance of the numbers are lost",
    mend="make numbers or dates of the column before, such as pandas.to_numeric({cells}, errors='coerce')",
)
def half_read_texts(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of text that the reading does not read as numbers or dates."""
    identifying = {name for name, _, _ in heard(sample, IGNORED)}
    for name, what, mend in heard(sample, HALF_READ):
        if name in identifying:
            continue
        known = SHARE.search(what)
        unread = 1 - int(known[1]) / int(known[2]) if known else 1.0
        yield Hit(what, unread, () if name is None else (name,), mend=mend)


@rule(
    "numbers-as-text",
    "note",
    TableSample,
    about="text that is read as numbers or dates",
    consequence="results come back as text of the same form",
    mend="nothing, if that is what they are; columns={{{column}: 'category'}} if they are names",
)
def numbers_as_text(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of text that are read as numbers or dates."""
    for column in sample.columns:
        if column.texts is None or not len(column.present):
            continue
        texts = column.texts.values[~column.texts.missing].tolist()
        gaps = [text for text in texts if is_gap_text(text)]
        example = next(text for text in texts if not is_gap_text(text))
        kind = "dates" if isinstance(column.field.form, TimeText) else "numbers"
        read = f", as {number(column.present[0])}" if kind == "numbers" else ""
        without = f", and {len(gaps):,} cells as missing, such as {gaps[0]!r}" if gaps else ""
        yield Hit(f"text is read as {kind}, such as {example!r}{read}{without}", len(texts) - len(gaps), (column.name,))


@rule(
    "empty-column",
    "note",
    TableSample,
    about="a column without any value",
    consequence="it is ignored, and comes back as it is",
    mend="leave it out of X",
)
def empty_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield the columns whose cells are all missing."""
    for column in sample.columns:
        if len(column.cells.missing) and column.cells.missing.all():
            yield Hit(f"all {len(column.cells.missing):,} cells are missing", 1.0, (column.name,))


@rule(
    "cycles-of-times",
    "note",
    TableSample,
    about="dates of which the place in the day, week or year is learned, and not the position on the line",
    consequence="a row of a later year is like one of the same day; a trend is not seen",
    mend="columns={{{column}: 'trend'}} learns both",
    fitting=True,
)
def cycles_of_times(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of times whose cycles are learned."""
    for name, what, _ in heard(sample, CYCLES):
        yield Hit(what.partition(", outside")[0], 1.0, () if name is None else (name,))


@rule(
    "category-codes",
    "note",
    TableSample,
    about="whole numbers as text, few of them, that are taken for categories",
    consequence="each number is a category, without order or distance",
    mend="columns={{{column}: 'real'}} if they are amounts, 'category' if they are codes",
    fitting=True,
)
def category_codes(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of whole numbers as text that are taken for categories."""
    yield from hits(sample, CODES)


@rule(
    "reading",
    "warning",
    TableSample,
    about="anything else that the reading of the table warns of",
    consequence="values are read otherwise than they were written",
    mend="look at the column",
    fitting=True,
)
def other_warnings(sample: TableSample) -> Iterator[Hit]:
    """Yield what the reading says that no other rule tells."""
    for message in sample.said:
        if not any(pattern.search(message) for pattern in KNOWN):
            what, _, mend = message.partition("; ")
            yield Hit(what, 1.0, mend=mend.replace("{", "{{").replace("}", "}}"))


def is_told(sample: TableSample, column: ColumnSample, pattern: re.Pattern[str]) -> bool:
    """Whether the reading said this of a column."""
    return any(name == column.name for name, _, _ in heard(sample, pattern))
