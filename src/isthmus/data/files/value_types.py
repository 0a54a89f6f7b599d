"""Types of columns of Python values, as JSON, Excel and SQLite hold them, decided over all rows."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from isthmus.data.arrow_tables import arrow
from isthmus.data.gaps import is_gap_text

LARGEST = 2**63
NOTHING, BOOLEAN, INTEGER, FLOAT, DATES, TIMES, TEXT = range(7)
"""What the values of a column are so far."""
KINDS: dict[type, int] = {
    bool: BOOLEAN,
    int: INTEGER,
    float: FLOAT,
    Decimal: FLOAT,
    dt.date: DATES,
    dt.datetime: TIMES,
    str: TEXT,
}
TOGETHER = {
    frozenset((INTEGER, FLOAT)): FLOAT,
    frozenset((DATES, TIMES)): TIMES,
}
"""What two kinds are together; all others are text."""


class ValueColumns:
    """The types of the columns of a file of typed values, decided over all rows.

    As in `TextColumns`, `settled` says whether all blocks were converted alike; one more pass does so if not.

    Parameters
    ----------
    shown
        What messages call the file.
    names
        Of the columns.
    as_written
        Those that become text, whatever they hold.
    """

    def __init__(self, shown: str, names: Sequence[str], as_written: frozenset[str] = frozenset()) -> None:
        self.shown = shown
        self.kinds = {name: TEXT if name in as_written else NOTHING for name in names}
        self.mixed: set[str] = set()
        self.words: dict[str, Counter[str]] = defaultdict(Counter)
        self.first: dict[str, int] | None = None

    def converted(self, block: Mapping[str, Sequence[Any]]) -> Any:
        """Return a block of columns as a table of the types known by now; None if earlier ones had others."""
        for name, values in block.items():
            self.look(name, values)
        if self.first is None:
            self.first = dict(self.kinds)
        if self.first != self.kinds:
            return None
        return arrow().table({name: as_array(values, self.kinds[name]) for name, values in block.items()})

    def look(self, name: str, values: Sequence[Any]) -> None:
        """Widen the kind of a column so that it holds all these values."""
        kinds = set(map(type, values)) - {type(None)}
        if str in kinds:
            words = Counter(value for value in values if type(value) is str)
            if all(map(is_gap_text, words)):
                kinds.remove(str)
                self.words[name].update(words)
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(
                    f"column {name!r} of {self.shown} holds {kind.__name__} values, which are no numbers, text or "
                    f"times; leave it out with exclude={name!r}"
                )
            new = KINDS[kind]
            if new == INTEGER and any(abs(value) >= LARGEST for value in values if type(value) is int):
                new = TEXT  # an identifier, which a float would round
            old = self.kinds[name]
            if old not in (NOTHING, new, TEXT):
                new = TOGETHER.get(frozenset((old, new)), TEXT)
                if new == TEXT:
                    self.mixed.add(name)
            elif old == TEXT:
                new = TEXT
            self.kinds[name] = new

    def settled(self) -> bool:
        """Whether all blocks were converted alike; called after the last one."""
        alike = self.first in (None, self.kinds)
        self.first = None
        if not alike:
            self.words.clear()
        return alike

    def told(self) -> list[str]:
        """Return what is to be told of columns of several types."""
        mixed = [f"column {name!r} holds values of several types, and is read as text" for name in sorted(self.mixed)]
        told = []
        for name, words in self.words.items():
            named = [word for word, _ in words.most_common(3) if word.strip()]
            if named and self.kinds[name] != TEXT:
                told.append(f"column {name!r}: {', '.join(map(repr, named))} read as missing ({words.total():,} cells)")
        return mixed + told


def as_array(values: Sequence[Any], kind: int) -> Any:
    """Return values as an array of Arrow's."""
    pa = arrow()
    if kind == TEXT:
        return pa.array([None if value is None or value == "" else as_text(value) for value in values], pa.string())
    values = [None if type(value) is str else value for value in values]  # words such as n/a
    if kind == TIMES:
        times = [dt.datetime.combine(v, dt.time()) if type(v) is dt.date else v for v in values]
        return pa.array(times, pa.timestamp("us"))
    if kind == FLOAT:
        return pa.array([None if value is None or value != value else float(value) for value in values], pa.float64())
    kinds = {NOTHING: pa.null(), BOOLEAN: pa.bool_(), INTEGER: pa.int64(), DATES: pa.date32()}
    return pa.array(values, kinds[kind])


def as_text(value: object) -> str:
    """Return a value as a file of text would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
