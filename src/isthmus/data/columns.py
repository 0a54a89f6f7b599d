"""`Column` and `Columns`: what each column of a table is, and what must be known to bring it to a network."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import isthmus.parts  # noqa: F401 (the likelihoods register themselves)
from isthmus.core.registry import column_likelihoods
from isthmus.core.text_tables import html_text_table, text_table
from isthmus.data.fields import Level, Name

KINDS = {
    "real": "gaussian",
    "positive": "gaussian",
    "ordinal": "gaussian",
    "date-time": "gaussian",
    "trend": "gaussian",
    "boolean": "bernoulli",
    "category": "categorical",
    "count": "negative_binomial",
    "ignored": "",
}
"""The kinds of columns, and the registered name of the likelihood that each has by default."""
REAL_VALUED = ("real", "positive", "ordinal", "trend")
"""The kinds of columns whose values the network sees as real numbers."""
AS_GIVEN = ("ignored", "date-time")
"""The kinds of columns whose values cannot be rebuilt from a code: a reconstruction has them as they were given."""
MOST_LINES = 60
"""Tables with more columns are printed with those of one kind together."""
ENDS = 20
"""Lines that are printed at either end of a table that is still longer."""


def column_choices() -> tuple[str, ...]:
    """Return what a user may say about a column: a kind, or a likelihood that a single column can have.

    Likelihoods come from the registry, users' own included.
    """
    return (*KINDS, *column_likelihoods())


def kind_of_choice(choice: str) -> str:
    """Return the kind of column that a user's choice stands for: itself, or the kind that the likelihood suits.

    >>> kind_of_choice("positive"), kind_of_choice("student_t")
    ('positive', 'real')
    """
    return choice if choice in KINDS else str(column_likelihoods()[choice].column)


def likelihood_of_choice(choice: str) -> str:
    """Return the likelihood that a user's choice stands for: itself, or the default of the kind.

    >>> likelihood_of_choice("positive"), likelihood_of_choice("student_t")
    ('gaussian', 'student_t')
    """
    return KINDS.get(choice, choice)


@dataclass(frozen=True)
class Column:
    """What is known about a column, and how a network sees it."""

    name: Name
    sort: str
    """The type of its values, as in `Field.sort`."""
    kind: str
    """One of `KINDS`."""
    likelihood: str
    """The registered name of its likelihood; "" for an ignored column."""
    missing: float
    """Share of the cells that are missing."""
    mean: float = 0.0
    """Mean of the values as the network sees them before standardisation (after the logarithm, if there is one)."""
    deviation: float = 1.0
    """Their standard deviation."""
    log_constant: float = 0.0
    """c of the logarithmic scale log(1 + x/c); 0 for a linear scale."""
    smallest: float = 0.0
    largest: float = 0.0
    step: float = 0.0
    """All values are multiples of this (0.01, 1, ...); 0 if there is no such number. For times: in ticks."""
    wide: bool = False
    """Whether a value needs two floats to be exact."""
    ticks: int = 1
    """For times and durations: how many ticks make a day."""
    cycles: tuple[str, ...] = ()
    """For times: which of the cycles "day", "week" and "year" the values repeat."""
    levels: tuple[Level, ...] = ()
    """Categories, by code."""
    places: tuple[int, ...] = ()
    """The cell of each category, followed by the cell of unknown categories."""
    shares: tuple[float, ...] = ()
    """The share of the rows that each cell of a category has."""
    dropped: bool = False
    """Whether there were too many categories to keep all, so that one that is not among the levels is a rare one."""
    scaled: str = ""
    """How the values are scaled, in words, if that does not follow from the kind."""
    any_value: bool = False
    """Whether a value that is impossible in a column of this kind is read as it is, not as the nearest possible one."""

    @property
    def layout(self) -> str:
        """How the column is laid out in the network's cells: "real" for all real-valued kinds, else as its kind."""
        return "real" if self.kind in REAL_VALUED else self.kind

    @property
    def numbers(self) -> int:
        """How many floats hold a value exactly."""
        return 2 if self.wide else 1

    @property
    def unit_values(self) -> tuple[float, float]:
        """What one unit of the first and of the last number of a value is worth; for times, in days."""
        if not self.wide:
            return 1.0, 0.0
        return (1.0, 1 / self.ticks) if self.sort in ("time", "duration") else (2.0**32, 1.0)

    @property
    def scaling(self) -> str:
        """How the values are scaled, in words."""
        if self.scaled:
            return self.scaled
        if self.kind == "category":
            return f"{len(self.shares)} cells"
        place = f"the place in the {', '.join(self.cycles)}"
        if self.kind == "date-time":
            return place
        if self.kind == "trend":
            return f"standard, and {place}" if self.cycles else "standard"
        return {
            "real": "standard",
            "ordinal": "standard",
            "positive": f"log(1 + x/{self.log_constant:.3g}), standard",
        }.get(self.kind, "none")


class Columns(tuple[Column, ...]):
    """The columns of a table; printed, and shown in notebooks, as a table of what each column was found to be.

    Where there are many, those next to each other that differ in nothing but their names share a line; where that
    still is long, lines in the middle are left out.
    """

    def lines(self) -> list[tuple[str, ...]]:
        """Return the printed table: a line of headings, then a line for each column."""
        lines: list[tuple[str, ...]] = [
            (str(c.name), c.kind, c.scaling, c.likelihood or "none", f"{c.missing:.1%}") for c in self
        ]
        return [("column", "kind", "scaling", "likelihood", "missing"), *shortened(lines)]

    def __repr__(self) -> str:
        return text_table(self.lines())

    def _repr_html_(self) -> str:
        return html_text_table(self.lines())


def shortened(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return few enough lines to be read: all, those that differ, or the first and last of them."""
    if len(lines) > MOST_LINES:
        lines = joined(lines)
    left_out = len(lines) - 2 * ENDS
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:ENDS], (f"... ({left_out} more lines)", *[""] * (len(lines[0]) - 1)), *lines[-ENDS:]]


def joined(lines: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Join lines that follow each other and differ in their first entry only.

    >>> joined([("x0", "real"), ("x1", "real"), ("x2", "count")])
    [('x0 ... x1 (2)', 'real'), ('x2', 'count')]
    """
    found = []
    for rest, group in groupby(lines, key=lambda line: line[1:]):
        names = [line[0] for line in group]
        found.append((names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]} ({len(names)})", *rest))
    return found


def number_columns(names: Iterable[Name], likelihood: str, scaled: Iterable[str]) -> Columns:
    """Return the columns of a table of numbers alone, which have one likelihood."""
    return Columns(
        Column(name, "float", "real", likelihood, 0.0, scaled=words) for name, words in zip(names, scaled, strict=True)
    )
