"""Floor 7: metrics, plots and pages for any data and any model."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.reports.anomalies import anomalies_page, anomalies_section
    from isthmus.reports.context import Context
    from isthmus.reports.findings import Finding
    from isthmus.reports.registration import Content, Tile, section
    from isthmus.reports.report import report

HOMES = {
    "Content": "registration",
    "Context": "context",
    "Finding": "findings",
    "Tile": "registration",
    "anomalies_page": "anomalies",
    "anomalies_section": "anomalies",
    "report": "report",
    "section": "registration",
}
"""Where each public name lives; it is imported when first asked for: plots alone need no estimators."""

__all__ = [
    "Content",
    "Context",
    "Finding",
    "Tile",
    "anomalies_page",
    "anomalies_section",
    "report",
    "section",
]


def __getattr__(name: str) -> object:
    if name in HOMES:
        return getattr(import_module(f"isthmus.reports.{HOMES[name]}"), name)
    raise AttributeError(f"module 'isthmus.reports' has no attribute {name!r}")
