"""The table of all rules in `docs/check.md`, generated from the rules.

python -m isthmus.tasks.checking.rules_page docs/check.md
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import isthmus.tasks.checking.rules  # noqa: F401  rules register themselves
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.checking.findings import SEVERITIES
from isthmus.tasks.checking.rows_in_use import RowsInUse
from isthmus.tasks.checking.rule import RULES, Rule, with_names
from isthmus.tasks.checking.samples import SparseSample, TableSample
from isthmus.tasks.imputation.imputer import Imputer

BEGIN, END = "<!-- rules: generated -->", "<!-- end of the rules -->"
"""Lines between which the tables stand."""
HEADINGS = {
    TableSample: "Tables, frames, images and files",
    SparseSample: "Sparse matrices",
    FittedModel: "A fitted `AutoEncoder`",
    AnomalyDetector: "A fitted `AnomalyDetector`",
    Imputer: "A fitted `Imputer`",
    RowsInUse: "Rows that a fitted model meets",
}
"""What rules look at, in words."""


def rule_tables() -> str:
    """Return a heading and a table of rules for everything that rules look at, as Markdown; the worst first."""
    kinds = dict.fromkeys([*HEADINGS, *(rule.kind for rule in RULES.values())])
    return "\n".join(line for kind in kinds for line in lines_of(kind))


def lines_of(kind: type) -> Iterator[str]:
    """Yield the lines of the table of the rules that look at this kind of thing."""
    own = [rule for rule in RULES.values() if rule.kind is kind]
    yield from ("", f"### {HEADINGS.get(kind, kind.__name__)}", "")
    yield "| rule | severity | looks for | what comes of it | what to do |"
    yield "|---|---|---|---|---|"
    for rule in sorted(own, key=lambda rule: (SEVERITIES.index(rule.severity), rule.name)):
        cells = [f"`{rule.name}`", rule.severity, rule.about, rule.consequence, mend_of(rule)]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def mend_of(rule: Rule) -> str:
    """Return what to do, for a column called 'x'."""
    return with_names(rule.mend, ["x", "y"])


def with_tables(page: str) -> str:
    """Return a page with the tables of today between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{rule_tables()}\n\n{END}{after}"


def main() -> None:
    """Write the tables into the page whose path is given on the command line."""
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
