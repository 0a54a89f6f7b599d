"""`Finding`: one thing that a check says of data or of a model; `Findings`: all of them, worst first."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast, overload

from isthmus.core.choices import refuse_unknown
from isthmus.core.json_type import Json
from isthmus.core.text_tables import html_text_table, text_table

if TYPE_CHECKING:
    import pandas

SEVERITIES = ("error", "warning", "note")
"""From the worst: what keeps a model from being fitted or makes it wrong, what is likely to harm, what to know."""
WIDTHS = (14, 48, 56)
"""Characters of the columns of the printed table."""


@dataclass(frozen=True)
class Finding:
    """One thing that `check` found in data or in a model; as text, two or three sentences.

    Attributes
    ----------
    rule : str
        The name of the rule that found it, such as "constant-column"; names stay the same between versions.
    severity : {"error", "warning", "note"}
        "error": a fit is refused, or its result is wrong. "warning": the result is likely to suffer. "note": worth
        knowing.
    where : str
        The columns or rows, in words; "" if it is the whole table or the model.
    number : str
        What was measured, in words.
    value : float
        The measured figure alone: a share in [0, 1], a count or an error, as `number` says.
    consequence : str
        What comes of it.
    mend : str
        What to do.
    columns : tuple of str
        The names of the columns.
    rows : tuple of int
        The positions of some of the rows, from 0; of the sample where not all rows were looked at.

    Examples
    --------
    >>> found = Finding("constant-column", "note", "column 'x'", "all 150 cells are 0.5", 150.0,
    ...                 "it tells nothing of a row", "leave it out of X", ("x",))
    >>> print(found)
    column 'x': all 150 cells are 0.5. It tells nothing of a row. Leave it out of X.
    """

    rule: str
    severity: str
    where: str
    number: str
    value: float
    consequence: str
    mend: str
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join([sentence(self.found), sentence(self.consequence), sentence(self.mend)])

    @property
    def found(self) -> str:
        """Where it is, and what was measured."""
        return f"{self.where}: {self.number}" if self.where else self.number

    def to_dict(self) -> dict[str, Json]:
        """Return plain texts, numbers and lists by field, for JSON."""
        plain: dict[str, Json] = asdict(self) | {"columns": list(self.columns), "rows": list(self.rows)}
        return plain


class Findings(Sequence[Finding]):
    """What `check` found, worst first; printed, and shown in notebooks, as a table.

    Attributes
    ----------
    looked_at : str
        Of which rows findings are, in words.

    Examples
    --------
    >>> known = ("it tells nothing of a row", "leave it out of X")
    >>> found = Findings([Finding("constant-column", "note", "column 'x'", "all cells are 0", 1.0, *known)], "9 rows")
    >>> found.worst, found.at_least("warning").worst, len(found)
    ('note', '', 1)
    >>> print(found)
    1 note on 9 rows
    <BLANKLINE>
    severity, rule  found                         consequence, and what to do
    --------------  ----------------------------  ----------------------------------------------
    note            column 'x': all cells are 0.  It tells nothing of a row.  Leave it out of X.
    constant-
    column
    """

    def __init__(self, findings: Iterable[Finding] = (), looked_at: str = "") -> None:
        self.findings = tuple(sorted(findings, key=lambda found: SEVERITIES.index(found.severity)))
        self.looked_at = looked_at

    @property
    def worst(self) -> str:
        """The severity of the worst finding: "error", "warning" or "note"; "" if there are none."""
        return self.findings[0].severity if self.findings else ""

    def at_least(self, severity: str) -> "Findings":
        """Return the findings of this severity and of worse ones.

        Raises
        ------
        ValueError
            If there is no such severity.
        """
        refuse_unknown("severity", severity, SEVERITIES)
        told = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return Findings((found for found in self.findings if found.severity in told), self.looked_at)

    def by_rule(self, rule: str) -> "Findings":
        """Return the findings of the rule of this name."""
        return Findings((found for found in self.findings if found.rule == rule), self.looked_at)

    def to_dicts(self) -> list[dict[str, Json]]:
        """Return each finding as plain texts, numbers and lists, for JSON."""
        return [found.to_dict() for found in self.findings]

    def to_frame(self) -> "pandas.DataFrame":
        """Return a pandas frame with one row per finding.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas

        return pandas.DataFrame(self.to_dicts(), columns=list(Finding.__dataclass_fields__))

    def summary(self) -> str:
        """Return how many findings of each severity there are, and on which rows, in one line."""
        counts = Counter(found.severity for found in self.findings)
        told = [f"{counts[one]} {one}{'s' * (counts[one] > 1)}" for one in SEVERITIES if counts[one]]
        return f"{', '.join(told) or 'no findings'}{f' on {self.looked_at}' if self.looked_at else ''}"

    def lines(self) -> list[tuple[str, str, str]]:
        """Return a line of headings, then a line for each finding."""
        rest = [
            (f"{found.severity} {found.rule}", sentence(found.found), told_and_mended(found)) for found in self.findings
        ]
        return [("severity, rule", "found", "consequence, and what to do"), *rest]

    def __str__(self) -> str:
        if not self.findings:
            return self.summary()
        lines = [wrapped(line) for line in self.lines()]
        width = [max(len(part) for line in lines for part in line[place]) for place in range(3)]
        ruled = [lines[0], [["-" * size] for size in width], *lines[1:]]
        return f"{self.summary()}\n\n{text_table([line for cells in ruled for line in stacked(cells)])}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>{html_text_table(self.lines()) if self.findings else ''}"

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @overload
    def __getitem__(self, place: int) -> Finding: ...
    @overload
    def __getitem__(self, place: slice) -> "Findings": ...
    def __getitem__(self, place: int | slice) -> "Finding | Findings":
        if isinstance(place, slice):
            return Findings(self.findings[place], self.looked_at)
        return self.findings[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Findings) and self.findings == other.findings

    def __hash__(self) -> int:
        return hash(self.findings)


def sentence(text: str) -> str:
    """Return a clause as a sentence: its first letter large, unless it begins with where something is, and a full stop.

    >>> sentence("take fewer epochs"), sentence("column 'x': all are 0")
    ('Take fewer epochs.', "column 'x': all are 0.")
    """
    keep = text.startswith(("column", "row", "X["))
    return f"{text if keep else text[:1].upper() + text[1:]}{'' if text.endswith('.') else '.'}"


def told_and_mended(found: Finding) -> str:
    """Return what comes of a finding and what to do, as sentences."""
    return f"{sentence(found.consequence)}  {sentence(found.mend)}"


def wrapped(line: tuple[str, str, str]) -> list[list[str]]:
    """Return the cells of a line of the table, each as lines that fit into its column."""
    severity, rest = line[0].split(" ", 1)
    first = [severity, *textwrap.wrap(rest, WIDTHS[0])] if severity in SEVERITIES else [line[0]]
    return [first, *(textwrap.wrap(cell, width) for cell, width in zip(line[1:], WIDTHS[1:], strict=True))]


def stacked(cells: list[list[str]]) -> list[tuple[str, ...]]:
    """Return cells of several lines as lines of the table."""
    height = max(map(len, cells))
    padded = [cell + [""] * (height - len(cell)) for cell in cells]
    return cast("list[tuple[str, ...]]", list(zip(*padded, strict=True)))
