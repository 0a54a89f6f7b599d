"""`Finding`: what a check found, as the report shows it."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Protocol

from isthmus.reports.cut import LONGEST_SENTENCE, cut
from isthmus.tasks.anomaly.shown import shown


class Finding(Protocol):
    """What a check found; any object with these attributes."""

    @property
    def severity(self) -> object:
        """How bad it is: a word, or a member of an enumeration."""

    @property
    def where(self) -> object:
        """The column, or whatever it is about."""

    @property
    def number(self) -> object:
        """How much of it there is; None if that is no number."""

    @property
    def consequence(self) -> str:
        """What follows from it."""

    @property
    def mend(self) -> str:
        """What to do."""


class ShownFinding(NamedTuple):
    """A finding as text."""

    severity: str
    where: str
    number: str
    sentence: str
    consequence: str
    mend: str


def shown_findings(findings: Iterable[Finding]) -> list[ShownFinding]:
    """Return findings as text, in their order."""
    return [
        ShownFinding(
            word(finding.severity),
            cut("" if finding.where is None else str(finding.where)),
            cut("" if finding.number is None else shown(finding.number)),
            cut(str(finding), LONGEST_SENTENCE),
            cut(str(finding.consequence), LONGEST_SENTENCE),
            cut(str(finding.mend), LONGEST_SENTENCE),
        )
        for finding in findings
    ]


def word(severity: object) -> str:
    """Return the word for a severity.

    >>> word("warning"), word(Enum("Severity", ["ERROR"])(1))
    ('warning', 'error')
    """
    return severity.name.lower() if isinstance(severity, Enum) else str(severity)
