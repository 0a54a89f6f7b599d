"""The templates of the report."""

from importlib.resources import files

from isthmus.reports.page import page

TEMPLATES = files("isthmus.reports") / "templates"


def rendered(name: str, **content: object) -> str:
    """Return what a template of `templates/report/` and its content make."""
    return page(TEMPLATES, f"report/{name}", **content)
