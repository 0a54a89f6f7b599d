"""`rule`: registers what `check` looks for. A rule is one function; its file in `rules/` is found by discovery.

    @rule("constant-column", "note", TableSample, about=..., consequence=..., mend=...)
    def constant_columns(sample: TableSample) -> Iterator[Hit]: ...

A rule looks at one kind of thing: `TableSample`, `SparseSample`, `Trained` (a fitted model) or `RowsInUse` (a fitted
model and rows that were not trained on). Later kinds of data bring a class of their own and register rules for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from isthmus.core.choices import refuse_unknown
from isthmus.data.fields import Name
from isthmus.tasks.checking.findings import SEVERITIES, Finding

MOST_FINDINGS = 3
"""Columns of which each has a finding of its own; of more, one finding names some."""
MOST_NAMED = 5
"""Columns that a finding names, at most."""


class Hit(NamedTuple):
    """What a rule found, without what is the same for everything that the rule finds."""

    number: str
    """What was measured, in words."""
    value: float
    """The measured figure."""
    columns: tuple[Name, ...] = ()
    rows: tuple[int, ...] = ()
    severity: str = ""
    """"" is that of the rule; the same for the next two."""
    consequence: str = ""
    mend: str = ""


Look = Callable[[Any], Iterable[Hit]]
"""From what a rule looks at to what it finds."""
Looking = TypeVar("Looking", bound=Look)


@dataclass(frozen=True)
class Rule:
    """What `check` looks for, and what it says when it finds it."""

    name: str
    severity: str
    kind: type
    """The class of what it looks at."""
    about: str
    """What it looks for, in a few words."""
    consequence: str
    mend: str
    """With {column} for the name of the column, quoted, {cells} for its cells, and {columns} for a list of names."""
    fitting: bool
    """Whether it is about rows to fit on; it is left out where a model is given."""
    look: Look

    def findings(self, looked_at: object) -> Iterator[Finding]:
        """Yield what the rule finds; one finding for many columns of which it says the same."""
        for hit in gathered(list(self.look(looked_at))):
            yield Finding(
                self.name,
                hit.severity or self.severity,
                where(hit),
                hit.number,
                float(hit.value),
                hit.consequence or self.consequence,
                with_names(hit.mend or self.mend, hit.columns),
                tuple(map(str, hit.columns)),
                hit.rows,
            )


RULES: dict[str, Rule] = {}
"""Every registered rule, by name."""


def rule(
    name: str, severity: str, kind: type, *, about: str, consequence: str, mend: str, fitting: bool = False
) -> Callable[[Looking], Looking]:
    """Return a decorator that registers a function as a rule.

    Parameters
    ----------
    name : str
        Of the rule; stays the same between versions.
    severity : {"error", "warning", "note"}
        Of what it finds, unless a hit says otherwise.
    kind : type
        What the function takes.
    about, consequence, mend : str
        What it looks for, what comes of it, and what to do; `mend` may have {column}, {cells} and {columns}.
    fitting : bool, default=False
        Whether it is about rows to fit on, and is left out where a model is given.

    Raises
    ------
    ValueError
        If the severity is unknown or another function has the name.

    Examples
    --------
    >>> from isthmus.tasks.checking.samples import TableSample
    >>> words = {"about": "tables of one row", "consequence": "nothing can be learned", "mend": "give more rows"}
    >>> @rule("one-row", "error", TableSample, **words)
    ... def one_row(sample):
    ...     if sample.rows == 1:
    ...         yield Hit("there is 1 row", 1)
    >>> del RULES["one-row"]
    """
    refuse_unknown("severity", severity, SEVERITIES)

    def registered(look: Looking) -> Looking:
        known = RULES.get(name)
        if known is not None and (known.look.__module__, known.look.__qualname__) != (
            look.__module__,
            look.__qualname__,
        ):
            raise ValueError(f"there is a rule called {name!r} already, in {known.look.__module__}; take another name")
        RULES[name] = Rule(name, severity, kind, about, consequence, mend, fitting, look)
        return look

    return registered


def gathered(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield hits; those of more than a few columns that say the same of each are put together, the worst one told."""
    groups: dict[tuple[str, str, str], list[Hit]] = {}
    for hit in hits:
        groups.setdefault((hit.severity, hit.consequence, hit.mend), []).append(hit)
    for alike in groups.values():
        single = [hit for hit in alike if len(hit.columns) == 1]
        if len(single) <= MOST_FINDINGS:
            yield from alike
            continue
        worst = max(single, key=lambda hit: hit.value)
        columns = [worst.columns[0], *(hit.columns[0] for hit in single if hit is not worst)]
        yield worst._replace(number=f"in {worst.columns[0]!r}, {worst.number}", columns=tuple(columns))
        yield from (hit for hit in alike if len(hit.columns) != 1)


def with_names(mend: str, columns: Sequence[Name]) -> str:
    """Return what to do with the names of columns, and their cells as an expression; numbers are columns of an array.

    >>> with_names("give {cells} without {column}", ["x"]), with_names("look at {cells}", [3])
    ("give X['x'] without 'x'", 'look at X[:, 3]')
    """
    first = columns[0] if columns else ""
    cells = f"X[:, {first}]" if isinstance(first, int) else f"X[{first!r}]"
    return mend.format(column=repr(first), cells=cells, columns=f"[{named(columns)}]")


def where(hit: Hit) -> str:
    """Return where a hit is, in words: its columns, else its rows, else "".

    >>> where(Hit("", 0.0, ("a",))), where(Hit("", 0.0, ("a", "b"))), where(Hit("", 0.0, (), (3, 7)))
    ("column 'a'", "columns 'a', 'b'", 'rows 3, 7')
    """
    if hit.columns:
        return f"column{'s' * (len(hit.columns) > 1)} {named(hit.columns)}"
    return f"row{'s' * (len(hit.rows) > 1)} {', '.join(map(str, hit.rows))}" if hit.rows else ""


def named(columns: Sequence[Name]) -> str:
    """Return the names of columns, quoted; of many, some and how many more there are.

    >>> named(("a", "b")), named(tuple(range(9)))
    ("'a', 'b'", '0, 1, 2, 3, 4 and 4 more')
    """
    shown = ", ".join(map(repr, columns[:MOST_NAMED]))
    more = len(columns) - MOST_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
