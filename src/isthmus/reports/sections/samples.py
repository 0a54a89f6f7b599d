"""New rows that the model makes up, beside real ones."""

from typing import NamedTuple

import numpy as np

from isthmus.data.columns import AS_GIVEN
from isthmus.reports.cells import bars_path
from isthmus.reports.column_values import column_values, is_categorical
from isthmus.reports.contact_sheets import ends_of, sheet, side_for, thumbnails
from isthmus.reports.context import Context
from isthmus.reports.cut import cut
from isthmus.reports.distributions import ENDS, level_name, written
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered
from isthmus.tasks.anomaly.explaining import in_schema_order
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.shown import shown

DRAWN = 1000
"""Rows that are made up to compare distributions."""
ROWS, COLUMNS = 6, 12
"""Rows and columns that are shown."""
IMAGES, LINES = 12, 2
"""Images per line, and lines of each sort."""
BINS = 24
LONGEST_VALUE = 24


class Comparison(NamedTuple):
    """The distribution of a column in real rows and in made-up ones."""

    name: str
    real: str
    """Bars of real rows, as the path of an SVG of 96 by 24."""
    drawn: str
    """The outline of made-up ones, in the same picture."""
    low: str
    high: str


@section("samples", order=70, title="Rows that the model makes up")
def samples(context: Context) -> Content | None:
    """Show samples beside real rows; models without a prior have none."""
    model, autoencoder = context.model, context.autoencoder
    if model is None or autoencoder is None or model.network.prior is None:
        return None
    if context.image_shape is not None:
        return Content(images_html(context))
    drawn = autoencoder.sample(DRAWN, random_state=0)
    values = column_values(drawn, context.schema)
    own = cells_of(in_schema_order(context.sample.part(some_rows(context)).rows, context.schema))
    made = cells_of(drawn)
    places = [place for place, column in enumerate(context.columns) if column.kind not in AS_GIVEN][:COLUMNS]
    html = rendered(
        "samples.html",
        names=[context.names[place] for place in places],
        real=texts(own, places),
        made=texts(made, places),
        comparisons=[comparison(context, place, values[:, place]) for place in places],
        count=DRAWN,
    )
    return Content(html)


def some_rows(context: Context) -> np.ndarray:
    """Return places of rows spread over the sample."""
    count = len(context.sample.places)
    return np.unique(np.linspace(0, count - 1, min(ROWS, count)).round().astype(np.int64))


def texts(cells: list[list[object]], places: list[int]) -> list[list[str]]:
    """Return the first rows of cells, column by column, as texts."""
    rows = min(ROWS, len(cells[0]))
    return [[cut(shown(cells[place][row]), LONGEST_VALUE) for place in places] for row in range(rows)]


def comparison(context: Context, place: int, made: np.ndarray) -> Comparison:
    """Return how often values of a column are real, and how often they are made up."""
    column, real = context.columns[place], context.values[:, place]
    real, made = real[~np.isnan(real)], made[~np.isnan(made)]
    name = context.names[place]
    if not len(real) or not len(made):
        return Comparison(name, "", "", "", "")
    if is_categorical(column):
        codes, counts = np.unique(real, return_counts=True)
        shown_codes = codes[np.argsort(-counts, kind="stable")[:BINS]]
        heights = [np.array([(values == code).mean() for code in shown_codes]) for values in (real, made)]
        ends = [cut(level_name(code, column.levels), LONGEST_VALUE) for code in (shown_codes[0], shown_codes[-1])]
    else:
        low, high = (float(end) for end in np.quantile(real, ENDS))
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        heights = [np.histogram(values, BINS, (low, high))[0] / len(values) for values in (real, made)]
        ends = [written(end, time=column.sort == "time") for end in (low, high)]
    most = max(float(heights[0].max()), float(heights[1].max()), 1e-300)
    return Comparison(name, bars_path((heights[0] / most).tolist()), outline((heights[1] / most).tolist()), *ends)


def outline(heights: list[float]) -> str:
    """Return heights from 0 to 1 as a line of steps in an SVG of 96 by 24.

    >>> outline([0.5, 1.0])
    'M0 12H48V0H96'
    """
    step = 96 / max(1, len(heights))
    path = f"M0 {24 - 24 * heights[0]:.3g}"
    for place, height in enumerate(heights):
        level = f"V{24 - 24 * height:.3g}" if place else ""
        path += f"{level}H{step * (place + 1):.3g}"
    return path


def images_html(context: Context) -> str:
    """Return made-up images beside real ones."""
    shape, autoencoder = context.image_shape, context.autoencoder
    assert shape is not None, "asked for images only"
    assert autoencoder is not None, "only autoencoders make up images"
    ends, count = ends_of(context.values), IMAGES * LINES
    places = np.unique(np.linspace(0, len(context.values) - 1, min(count, len(context.values))).round().astype(int))
    drawn = column_values(autoencoder.sample(count, random_state=0, noise=False), context.schema)
    pictures = [
        ("made up", sheet(thumbnails(drawn, shape, side_for(shape), ends), IMAGES, "images that the model makes up")),
        ("real", sheet(thumbnails(context.values[places], shape, side_for(shape), ends), IMAGES, "real images")),
    ]
    return rendered("image_samples.html", pictures=pictures)
