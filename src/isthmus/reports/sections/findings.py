"""What was found before this report was made: the findings that the caller gave, the worst first."""

from isthmus.reports.context import Context
from isthmus.reports.findings import shown_findings
from isthmus.reports.registration import Content, Tile, section
from isthmus.reports.rendering import rendered

MOST = 60
"""Findings that are shown."""
BAD = ("error", "critical", "high", "severe")
"""Severities that are marked."""


@section("findings", order=10, title="What to look at first")
def findings(context: Context) -> Content | None:
    """Show the findings; none where there are none."""
    found = shown_findings(context.findings[:MOST])
    if not found:
        return None
    html = rendered("findings.html", findings=found, bad=BAD, more=len(context.findings) - len(found))
    count = len(context.findings)
    worst = found[0]
    text = f"finding{'' if count == 1 else 's'}; the worst: {worst.consequence or worst.sentence}"
    return Content(html, (Tile(f"{count}", text),))
