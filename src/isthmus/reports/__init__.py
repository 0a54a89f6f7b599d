"""Floor 7: metrics, plots and pages for any data and any model."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.reports.anomalies import anomalies_page, anomalies_section

__all__ = ["anomalies_page", "anomalies_section"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: plots alone need no estimators."""
    if name in __all__:
        return getattr(import_module("isthmus.reports.anomalies"), name)
    raise AttributeError(f"module 'isthmus.reports' has no attribute {name!r}")
