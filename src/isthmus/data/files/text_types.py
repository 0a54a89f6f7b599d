"""Types of columns of text: which numbers, times and truth values a file's cells are, decided over all its rows.

A column is a number only if nothing is lost: 007, a phone number or a number of twenty digits stays text. Texts that
are numbers or dates in another way stay text, too; `isthmus.data.text_columns` reads them in `fit`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from isthmus.data.arrow_tables import arrow
from isthmus.data.gaps import GAP_TEXTS

Convert = Callable[[Any], Any]
"""Turns an array of text without gaps in words into another type; None if a text is of another kind."""
CODE = r"^[-+]?(?:0[0-9]|[0-9]{19})"
"""Digits that are a code: they begin with a zero, or are too many for an amount."""
WITH_COMMA = r"^-?(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+)?$"
"""A number with a decimal comma, and perhaps points between thousands."""
SURE_COMMA = r"\..*,|,(?:[0-9]{1,2}|[0-9]{4,})$|^-?(?:0|[0-9]{4,}),"
"""Of these, what a comma between thousands cannot be."""
IN_THOUSANDS = r"^-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+$"
LARGEST_AMOUNT = 10**18
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"


def compute() -> Any:
    """Return pyarrow's functions of arrays."""
    import pyarrow.compute as found

    return found


def every(found: Any) -> bool:
    """Whether an array of truth values is true wherever it is not missing."""
    return compute().all(found, min_count=0).as_py() is not False


def matches(texts: Any, pattern: str) -> Any:
    """Return which texts match a regular expression."""
    return compute().match_substring_regex(texts, pattern)


def cast(texts: Any, kind: Any) -> Any:
    """Return texts as another type; None if that fails for one."""
    try:
        return texts.cast(kind)
    except arrow().ArrowInvalid:
        return None


def booleans(texts: Any) -> Any:
    """Return true and false, in any capitals."""
    fn = compute()
    if fn.max(fn.binary_length(texts)).as_py() > 5 or fn.min(fn.binary_length(texts)).as_py() < 4:
        return None
    lower = fn.utf8_lower(texts)
    if not every(fn.is_in(fn.drop_null(lower), arrow().array(["true", "false"]))):
        return None
    return fn.equal(lower, "true")


def integers(texts: Any) -> Any:
    """Return whole numbers, if they are written as numbers are and not as codes."""
    fn = compute()
    found = cast(texts, arrow().int64())
    if found is None:
        return None
    zeros = fn.and_(fn.starts_with(texts, "0"), fn.greater(fn.binary_length(texts), 1))
    if fn.any(fn.or_(zeros, fn.starts_with(texts, "-0"))).as_py():
        return None
    ends = fn.min_max(found)
    return found if max(abs(ends["min"].as_py()), abs(ends["max"].as_py())) < LARGEST_AMOUNT else None


def floats(texts: Any) -> Any:
    """Return numbers with a decimal point or a power of ten."""
    fn = compute()
    found = cast(texts, arrow().float64())
    if found is None:
        return None
    size = fn.abs(found)
    # Of all that begin with a zero, most are below 1, and no codes.
    zeros = fn.or_(fn.starts_with(texts, "0"), fn.starts_with(texts, "-0"))
    zeros = fn.and_(zeros, fn.or_(fn.greater_equal(size, 1), fn.equal(size, 0)))
    doubtful = fn.filter(texts, fn.or_(zeros, fn.greater_equal(size, float(LARGEST_AMOUNT))))
    if fn.any(matches(doubtful, CODE)).as_py():
        return None
    return without_nan(found) if fn.any(fn.is_nan(found)).as_py() else found


def without_nan(found: Any) -> Any:
    """Return floats with gaps in place of NaN."""
    fn = compute()
    return fn.if_else(fn.is_nan(found), arrow().scalar(None, found.type), found)


def comma_floats(texts: Any) -> Any:
    """Return numbers with a decimal comma."""
    fn = compute()
    if not every(matches(texts, WITH_COMMA)) or fn.any(matches(texts, CODE)).as_py():
        return None
    return cast(fn.replace_substring(fn.replace_substring(texts, ".", ""), ",", "."), arrow().float64())


def dates(texts: Any) -> Any:
    """Return dates, written 2024-02-28."""
    return cast(texts, arrow().date32()) if every(matches(texts, DATE)) else None


def times(texts: Any) -> Any:
    """Return times, written 2024-02-28 13:45:00."""
    return cast(texts, arrow().timestamp("s")) if every(matches(texts, TIME)) else None


NOTHING, BOOLEAN, INTEGER, FLOAT, COMMA, DATES, TIMES, TEXT = range(8)
"""What the cells of a column are so far."""
CONVERT: dict[int, Convert] = {
    BOOLEAN: booleans,
    INTEGER: integers,
    FLOAT: floats,
    COMMA: comma_floats,
    DATES: dates,
    TIMES: times,
}
NEXT: dict[int, tuple[int, ...]] = {
    NOTHING: (INTEGER, FLOAT, COMMA, DATES, TIMES, BOOLEAN),
    INTEGER: (INTEGER, FLOAT, COMMA),
    FLOAT: (FLOAT,),
    COMMA: (COMMA,),
    BOOLEAN: (BOOLEAN,),
    DATES: (DATES,),
    TIMES: (TIMES,),
    TEXT: (),
}
"""What a column may be, given what it was so far; text always."""


class TextColumn:
    """What the texts of one column are, as blocks of them pass by.

    Parameters
    ----------
    allowed
        The kinds that are tried; others than text are not if the column is to stay as it is written.
    """

    def __init__(self, allowed: frozenset[int]) -> None:
        self.allowed = allowed
        self.kind = NOTHING if allowed else TEXT
        self.words: Counter[str] = Counter()
        self.sure_comma = self.only_thousands = False
        self.other_point = False

    def converted(self, texts: Any) -> Any:
        """Return a block as the kind that the column is by now."""
        if self.kind == TEXT:
            return as_text(texts)
        texts = as_text(texts)
        if texts.null_count == len(texts):
            return arrow().nulls(len(texts))
        found = self.tried(texts)
        if found is None:
            trimmed, words = without_gap_words(texts)
            found = arrow().nulls(len(texts)) if trimmed.null_count == len(texts) else self.tried(trimmed)
            if found is not None:
                self.words.update(words)
        if found is None:
            self.kind = TEXT
            return as_text(texts)
        return found

    def tried(self, texts: Any) -> Any:
        """Return a block as the first kind that all its texts are of; None for text."""
        for kind in NEXT[self.kind]:
            found = CONVERT[kind](texts) if kind in self.allowed else None
            if found is not None:
                self.kind = kind
                self.look_at_marks(texts)
                return found
        return None

    def look_at_marks(self, texts: Any) -> None:
        """Look whether points and commas tell what they are."""
        fn = compute()
        if self.kind == COMMA and not self.sure_comma:
            self.sure_comma = bool(fn.any(matches(texts, SURE_COMMA)).as_py())
        if self.kind == FLOAT and not self.other_point:
            pointed = fn.match_substring(texts, ".")
            grouped = matches(texts, IN_THOUSANDS)
            self.only_thousands = self.only_thousands or bool(fn.any(grouped).as_py())
            self.other_point = not every(fn.equal(pointed, grouped)) or bool(fn.any(matches(texts, "[eE]")).as_py())


def as_text(texts: Any) -> Any:
    """Return texts with gaps in place of empty ones."""
    fn = compute()
    empty = fn.equal(fn.binary_length(texts), 0)
    return fn.if_else(empty, arrow().scalar(None, texts.type), texts) if fn.any(empty).as_py() else texts


def without_gap_words(texts: Any) -> tuple[Any, Mapping[str, int]]:
    """Return texts without blanks around them and with gaps in place of words such as n/a; and these words, counted."""
    fn = compute()
    trimmed = fn.utf8_trim_whitespace(texts)
    gaps = fn.is_in(fn.utf8_lower(trimmed), arrow().array(sorted({word.lower() for word in GAP_TEXTS})))
    if not fn.any(gaps).as_py():
        return trimmed, {}
    words = Counter(fn.drop_null(fn.filter(trimmed, gaps)).to_pylist())
    words.pop("", None)
    return fn.if_else(gaps, arrow().scalar(None, trimmed.type), trimmed), words


class TextColumns:
    """The types of the columns of a file of text, decided over all rows.

    Blocks are converted as what is known so far; `settled` says at the end whether all of them were converted alike.
    If not, one more pass, which begins with what is known by then, converts all alike.

    Parameters
    ----------
    names
        Of the columns.
    as_written
        Those that stay text, whatever they hold.
    whole_only
        Those that become whole numbers or stay text, so that they can be written again as they were.
    decimal
        The decimal sign; None to find it.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        as_written: frozenset[str],
        whole_only: frozenset[str],
        decimal: str | None,
    ) -> None:
        self.decimal = decimal
        self.columns = {name: TextColumn(self.allowed(name, as_written, whole_only)) for name in names}
        self.first: dict[str, int] | None = None

    def allowed(self, name: str, as_written: frozenset[str], whole_only: frozenset[str]) -> frozenset[int]:
        """Return which kinds are tried for a column."""
        if name in as_written:
            return frozenset()
        if name in whole_only:
            return frozenset((INTEGER,))
        other = {".": COMMA, ",": FLOAT}.get(self.decimal or "")
        return frozenset(CONVERT) - {other}

    def converted(self, block: Any) -> Any:
        """Return a block of text as a table of the types known by now; None if earlier ones had others."""
        found = {}
        for name, column in self.columns.items():
            texts = block.column(name)
            texts = texts.combine_chunks() if isinstance(texts, arrow().ChunkedArray) else texts
            found[name] = column.converted(texts)
        kinds = {name: column.kind for name, column in self.columns.items()}
        if self.first is None:
            self.first = kinds
        if kinds != self.first:
            return None
        return arrow().table({name: array.cast(type_of(kinds[name])) for name, array in found.items()})

    def settled(self) -> bool:
        """Whether all blocks were converted alike; called after the last one, it decides what a comma is."""
        self.settle_marks()
        alike = self.first in (None, {name: column.kind for name, column in self.columns.items()})
        self.first = None
        if not alike:
            for column in self.columns.values():
                column.words.clear()
        return alike

    def settle_marks(self) -> None:
        """Decide what commas and points are: a decimal comma in one column makes all commas decimal."""
        columns = self.columns.values()
        comma = self.decimal == "," or (self.decimal is None and any(column.sure_comma for column in columns))
        for column in columns:
            if column.kind == COMMA and not comma:
                column.kind = TEXT
            elif column.kind == FLOAT and comma and column.only_thousands and not column.other_point:
                column.kind = COMMA
        self.decimal = "," if comma else self.decimal

    @property
    def found_decimal(self) -> str:
        """The decimal sign of the file; "" if no number has one."""
        kinds = {column.kind for column in self.columns.values()}
        return "," if COMMA in kinds else "." if FLOAT in kinds else ""

    def gap_words(self) -> list[str]:
        """Return what is to be told of words that were read as missing cells."""
        told = []
        for name, column in self.columns.items():
            if column.words and column.kind != TEXT:
                words = ", ".join(repr(word) for word, _ in column.words.most_common(3))
                told.append(f"column {name!r}: {words} read as missing ({sum(column.words.values()):,} cells)")
        return told


def type_of(kind: int) -> Any:
    """Return Arrow's type for a kind of column."""
    pa = arrow()
    return {
        NOTHING: pa.null(),
        BOOLEAN: pa.bool_(),
        INTEGER: pa.int64(),
        FLOAT: pa.float64(),
        COMMA: pa.float64(),
        DATES: pa.date32(),
        TIMES: pa.timestamp("s"),
        TEXT: pa.string(),
    }[kind]
