"""What a fitted estimator adds to scikit-learn's HTML: how it was trained, and what its columns were taken for."""

from collections.abc import Iterable, Mapping
from html import escape

from isthmus.estimators.fitted_model import FittedModel

Section = tuple[str, str]
"""A title in plain text, and its content as HTML."""


def fitted_html(sections: Iterable[Section]) -> str:
    """Return sections as HTML that can be folded.

    >>> fitted_html([("training", "<p>done</p>")])
    '<details open><summary>training</summary><p>done</p></details>'
    """
    return "".join(
        f"<details open><summary>{escape(title)}</summary>{content}</details>" for title, content in sections
    )


def with_html(bundle: Mapping[str, object], added: str) -> dict[str, object]:
    """Return what a notebook is given, with more HTML, if it is given any."""
    more = {"text/html": f"{bundle['text/html']}{added}"} if "text/html" in bundle else {}
    return {**bundle, **more}


def sections_of(model: FittedModel) -> list[Section]:
    """Return what is worth knowing of a fitted model: its training, and the kinds of its columns."""
    record = model.record
    sections = [
        (f"fitted: {model.latent} numbers per code, {model.weights:,} weights", record.report._repr_html_()),
        ("history", record.history._repr_html_()),
    ]
    if model.schema.columns is not None:
        sections.append(("columns", model.schema.columns._repr_html_()))
    return sections
