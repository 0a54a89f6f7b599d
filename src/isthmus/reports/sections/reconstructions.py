"""Originals over reconstructions: images as contact sheets, tables with the worst cells marked, counts by name."""

from typing import NamedTuple

import numpy as np
import scipy.sparse

from isthmus.data.columns import AS_GIVEN
from isthmus.reports.cells import written
from isthmus.reports.column_values import is_categorical
from isthmus.reports.contact_sheets import ends_of, sheet, side_for, thumbnails
from isthmus.reports.context import Context, Rebuilt
from isthmus.reports.cut import cut
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered
from isthmus.reports.sampling import Sample
from isthmus.tasks.anomaly.explaining import in_schema_order
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.shown import shown

TYPICAL, WORST = 4, 3
"""Rows whose error is about the median, and rows with the greatest errors."""
MOST_COLUMNS = 12
"""Columns of a table that are shown."""
IMAGES = 12
"""Images per line."""
MOST_NAMES = 10
"""Counts that are shown per row."""
LONGEST_VALUE = 24
"""Characters of a value beyond which it is cut."""
FAR = 1.0
"""A number whose reconstruction is off by more standard deviations of its column is marked."""


class PairCell(NamedTuple):
    """A cell and its reconstruction."""

    seen: str
    rebuilt: str
    far: bool


class Pair(NamedTuple):
    """A row and its reconstruction."""

    label: str
    why: str
    """Why it is shown."""
    cells: list[PairCell]


class Counts(NamedTuple):
    """The counts of a row that matter."""

    label: str
    lines: list[tuple[str, str, str]]
    """Name, count, expected count."""


@section("reconstructions", order=40, title="Rows and what comes back")
def reconstructions(context: Context) -> Content | None:
    """Show rows beside their reconstructions."""
    rebuilt, model = context.rebuilt, context.model
    if rebuilt is None or model is None:
        return None
    if context.image_shape is not None:
        return Content(images_html(context, rebuilt))
    if scipy.sparse.issparse(rebuilt.rows) or (model.network.likelihood.whole and context.schema.columns is None):
        return Content(rendered("counts.html", rows=counts_of(context, rebuilt)))
    return Content(table_html(context, rebuilt))


def images_html(context: Context, rebuilt: Rebuilt) -> str:
    """Return images over their reconstructions."""
    shape = context.image_shape
    assert shape is not None, "asked for images only"
    ends = ends_of(rebuilt.values)
    off = float(np.sqrt(np.nanmean((rebuilt.values - rebuilt.decoded_values) ** 2)))
    lines = []
    for title, places in (
        ("drawn at random", at_random(rebuilt)),
        ("with the greatest errors", worst(rebuilt, IMAGES)),
    ):
        pair = [
            thumbnails(values[places], shape, side_for(shape), ends)
            for values in (rebuilt.values, rebuilt.decoded_values)
        ]
        alt = f"{len(places)} images {title}, above their reconstructions"
        lines.append((title, sheet(np.concatenate(pair), len(places), alt)))
    return rendered(
        "images.html", lines=lines, latent=rebuilt.codes.shape[1], error=written(off), range=written(ends[1] - ends[0])
    )


def at_random(rebuilt: Rebuilt) -> np.ndarray:
    """Return places of rows spread over the sample."""
    count = len(rebuilt.index)
    return np.unique(np.linspace(0, count - 1, min(IMAGES, count)).round().astype(np.int64))


def worst(rebuilt: Rebuilt, count: int) -> np.ndarray:
    """Return the places of the rows with the greatest errors, the worst first."""
    return np.argsort(-rebuilt.errors, kind="stable")[:count]


def typical(rebuilt: Rebuilt, count: int) -> np.ndarray:
    """Return the places of the rows whose error is nearest to the median."""
    middle = np.median(rebuilt.errors)
    return np.argsort(np.abs(rebuilt.errors - middle), kind="stable")[:count]


def examples(rebuilt: Rebuilt) -> list[tuple[int, str]]:
    """Return the places of rows to show, and why each is shown."""
    few = len(rebuilt.index) < TYPICAL + WORST
    ordinary = [] if few else [(int(place), "typical error") for place in typical(rebuilt, TYPICAL)]
    known = {place for place, _ in ordinary}
    return ordinary + [(int(place), "great error") for place in worst(rebuilt, WORST) if place not in known]


def table_html(context: Context, rebuilt: Rebuilt) -> str:
    """Return rows of a table over their reconstructions."""
    off, far = distances(context, rebuilt)
    places = examples(rebuilt)
    index = np.array([place for place, _ in places])
    chosen = np.arange(off.shape[1])
    if len(chosen) > MOST_COLUMNS:
        chosen = np.sort(np.argsort(-off.mean(0), kind="stable")[:MOST_COLUMNS])
    rows = Sample(rebuilt.rows, rebuilt.index, 0).part(index).rows
    seen, decoded = (
        cells_of(in_schema_order(rows, context.schema)),
        cells_of(Sample(rebuilt.decoded, rebuilt.index, 0).part(index).rows),
    )
    pairs = [
        Pair(
            cut(context.labels[rebuilt.index[place]], 32),
            why,
            [
                PairCell(
                    cut(shown(seen[column][row]), LONGEST_VALUE),
                    cut(shown(decoded[column][row]), LONGEST_VALUE),
                    bool(far[place, column]),
                )
                for column in chosen
            ],
        )
        for row, (place, why) in enumerate(places)
    ]
    return rendered(
        "pairs.html",
        pairs=pairs,
        names=[context.names[column] for column in chosen],
        left_out=off.shape[1] - len(chosen),
    )


def distances(context: Context, rebuilt: Rebuilt) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each cell's reconstruction is off, in standard deviations of its column, and which are marked.

    A wrong name is as far off as one standard deviation; of cells that are missing, or not rebuilt, none is.
    """
    difference = np.abs(rebuilt.values - rebuilt.decoded_values)
    spread = np.nanstd(np.where(np.isnan(rebuilt.values).all(0), 0.0, rebuilt.values), axis=0)
    off = np.nan_to_num(difference / np.where(spread > 0, spread, 1.0), posinf=0.0)
    far = off > FAR
    for place, column in enumerate(context.columns):
        if column.kind in AS_GIVEN:
            off[:, place], far[:, place] = 0.0, False
        elif is_categorical(column):
            far[:, place] = np.nan_to_num(difference[:, place]) > 0
            off[:, place] = far[:, place]
    return off, far


def counts_of(context: Context, rebuilt: Rebuilt) -> list[Counts]:
    """Return rows of counts with the names of the greatest ones, and of those that were expected and are not there."""
    found = []
    for place, why in examples(rebuilt):
        own, expected = rebuilt.values[place], rebuilt.decoded_values[place]
        half = MOST_NAMES // 2
        seen = np.argsort(-own, kind="stable")[:half]
        others = np.argsort(-np.where(own > 0, -np.inf, expected), kind="stable")[: MOST_NAMES - half]
        chosen = [int(k) for k in seen if own[k] != 0] + [int(k) for k in others if own[k] <= 0]
        lines = [(context.names[k], written(own[k]), written(expected[k])) for k in chosen]
        label = f"{cut(context.labels[rebuilt.index[place]], 32)} ({why})"
        found.append(Counts(label, lines))
    return found
