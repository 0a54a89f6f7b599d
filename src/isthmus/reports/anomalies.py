"""A page of the oddest rows: why each is odd, what would make it normal, and its place among the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from isthmus.core.files import atomic_write
from isthmus.reports.cut import LONGEST_SENTENCE, cut
from isthmus.reports.distributions import Histogram, Levels, distribution, histogram_of, written
from isthmus.reports.page import page
from isthmus.tasks.anomaly import AnomalyDetector
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.odd_rows import OddRows
from isthmus.tasks.anomaly.shown import shown

MOST_ROWS, MOST_COLUMNS = 200, 5
"""Greatest number of rows, and of columns per row: they bound the size of the page, at most 3 MB."""
TEMPLATES = files("isthmus.reports") / "templates"


@dataclass(frozen=True)
class Reason:
    """A column that makes a row odd."""

    name: str
    seen: str
    expected: str
    share: float
    """The column's part in the score of the row, from 0 to 1."""
    drawing: Histogram | Levels


@dataclass(frozen=True)
class Entry:
    """A row of the page."""

    label: str
    place: int
    score: float
    pvalue: float | None
    anomaly: bool
    sentence: str
    reasons: tuple[Reason, ...]


def anomalies_page(
    detector: AnomalyDetector,
    X: object,
    path: str | Path,
    *,
    n: int = 50,
    columns: int = 3,
    title: str = "The oddest rows",
) -> Path:
    """Write a page of the oddest rows: self-contained HTML of at most 3 MB, whatever the table.

    Parameters
    ----------
    detector : AnomalyDetector
        Fitted.
    X : as in `AnomalyDetector.fit`
        A file or another source is read once, piece by piece.
    path : str or Path
        The HTML file; it replaces one that is there.
    n : int, default=50
        Number of rows, at most 200.
    columns : int, default=3
        Number of columns to show per row, at most 5.
    title : str
        The heading.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If `n` or `columns` is out of range.
    MissingExtraError
        If jinja2 is not installed.

    Examples
    --------
    >>> import tempfile
    >>> rows = np.random.default_rng(0).normal(size=(200, 3))
    >>> detector = AnomalyDetector(method="mahalanobis", random_state=0).fit(rows)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     anomalies_page(detector, rows, f"{folder}/odd.html", n=5).name
    'odd.html'
    """
    section = anomalies_section(detector, X, n=n, columns=columns, title=title)
    file = Path(path)
    content = page(TEMPLATES, "page.html", title=title, sections=[section])
    with atomic_write(file) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return file


def anomalies_section(
    detector: AnomalyDetector, X: object, *, n: int = 50, columns: int = 3, title: str = "The oddest rows"
) -> str:
    """Return the section of a page on the oddest rows, as HTML; parameters as those of `anomalies_page`.

    It needs the styles of `templates/page.css`.
    """
    for name, value, most in (("n", n, MOST_ROWS), ("columns", columns, MOST_COLUMNS)):
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be from 1 to {most}, so that the page stays small; got {value!r}")
    rows = odd_rows_html(detector.odd_rows(X, n), detector.method_, columns)
    return f'<section class="anomalies"><h1>{escape(title)}</h1>{rows}</section>'


def odd_rows_html(
    found: OddRows, methods: Sequence[str], columns: int = 3, level: int = 2, labels: Mapping[int, str] | None = None
) -> str:
    """Return the oddest rows as HTML, below a heading.

    Parameters
    ----------
    found
        The rows.
    methods
        The names of the methods that scored them.
    columns
        Number of columns to show per row.
    level
        Level of the heading of each row.
    labels
        What rows are called, by their position in the table; None takes the labels that they came with.
    """
    return page(
        TEMPLATES,
        "anomalies.html",
        found=found,
        scores=scores_of(found),
        entries=entries(found, columns, labels),
        methods=", ".join(methods),
        level=level,
    )


def scores_of(found: OddRows) -> Histogram:
    """Return the distribution of the scores of all rows, with the threshold as the place of note."""
    scores = found.sample_scores
    top = float(found.explanation.scores.max())
    high = max(top, found.threshold if np.isfinite(found.threshold) else top, 1e-9)
    return histogram_of(scores, (0.0, high), found.threshold, np.nan, ("0", written(high, time=False)))


def entries(found: OddRows, columns: int, labels: Mapping[int, str] | None = None) -> list[Entry]:
    """Return the rows of the page, the oddest first."""
    explanation = found.explanation
    seen, expected = cells_of(explanation.seen), cells_of(explanation.expected)
    order, sentences = explanation.order(columns), explanation.normal_if()
    contributions = explanation.contributions

    def reason(row: int, column: int) -> Reason:
        kind = found.columns[column] if found.columns else None
        drawing = distribution(
            found.sample[:, column], float(found.values[row, column]), float(found.expected[row, column]), kind
        )
        share = contributions[row, column] / max(float(contributions[row].clip(0).sum()), 1e-300)
        return Reason(
            cut(str(explanation.names[column])),
            cut(shown(seen[column][row])),
            cut(shown(expected[column][row])),
            float(np.clip(share, 0, 1)),
            shortened(drawing),
        )

    def label(row: int, place: int) -> str:
        if labels is not None:
            return labels[place]
        return str(place if explanation.labels is None else explanation.labels[row])

    return [
        Entry(
            cut(label(row, int(place))),
            int(place),
            float(explanation.scores[row]),
            None if found.pvalues is None else float(found.pvalues[row]),
            bool(explanation.scores[row] > found.threshold),
            cut(sentences[row], LONGEST_SENTENCE),
            tuple(reason(row, int(column)) for column in order[row]),
        )
        for row, place in enumerate(found.places)
    ]


def shortened(drawing: Histogram | Levels) -> Histogram | Levels:
    """Cut the names of categories."""
    if isinstance(drawing, Histogram):
        return drawing
    return Levels(tuple(replace(level, name=cut(level.name, 24)) for level in drawing.levels), drawing.others)
