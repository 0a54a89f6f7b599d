"""The plane of codes: where rows lie, coloured by target, and what the row under the pointer is rebuilt as."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.sparse

from isthmus.data.columns import AS_GIVEN
from isthmus.reports.codes_plane import Plane, plane_of, related
from isthmus.reports.column_values import column_values, is_categorical
from isthmus.reports.contact_sheets import Sheet, ends_of, is_coloured, sheet, thumbnails
from isthmus.reports.context import Context, Rebuilt
from isthmus.reports.cut import cut
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered
from isthmus.reports.sampling import Sample
from isthmus.reports.targets import Target
from isthmus.tasks.anomaly.explaining import in_schema_order
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.shown import shown

MOST_POINTS = 1000
"""Rows that are drawn."""
MOST_COLUMNS = 8
"""Columns that are told of a row."""
MOST_PIXELS = 700_000
"""Bytes of the images that are told of all rows."""
MOST_TEXT = 900_000
"""Bytes of the texts that are told of all rows."""
SIDE, COLOUR_SIDE = 28, 24
"""Greatest height and width of these images, in grey levels and in colours."""
COLOURS = 10
"""Classes that have a colour of their own."""
BINS = 5
"""Equal shares of the rows, by a target of numbers, that have a colour of their own."""
SHADES = ("c0", "c6", "c2", "c4", "c1")
"""Colours of these shares, the least first."""
OTHERS = "cx"
WIDTH, HEIGHT, MARGIN = 640, 480, 34
GRID, GRID_SIDE = 12, 20
"""Places per line of the map of decoded places, and the greatest height and width of each image."""
LONGEST_VALUE = 24


class Colour(NamedTuple):
    """A colour of the legend."""

    name: str
    css: str
    rows: int


@section("codes", order=50, title="The plane of codes")
def plane(context: Context) -> Content | None:
    """Draw the codes of rows in a plane."""
    rebuilt = context.rebuilt
    if rebuilt is None or len(rebuilt.index) < 3:
        return None
    drawn = plane_of(rebuilt.codes, rebuilt.errors)
    index = np.linspace(0, len(rebuilt.index) - 1, points_of(context, len(rebuilt.index))).round().astype(np.int64)
    index = index[np.argsort(drawn.points[index, 0], kind="stable")]
    rows = told(context, rebuilt, drawn, index)
    if context.image_shape is None and (many := -(-embedded_size(rows) // MOST_TEXT)) > 1:
        index = index[::many]
        rows = told(context, rebuilt, drawn, index)
    places, outside = on_paper(drawn, drawn.points[index])
    colours, legend = coloured(context.target, rebuilt.index[index])
    html = rendered(
        "plane.html",
        dots=list(zip(places.round(1).tolist(), colours, strict=True)),
        legend=legend,
        target=None if context.target is None else context.target.name,
        plane=drawn,
        size=(WIDTH, HEIGHT),
        rows=rows,
        count=len(index),
        outside=outside,
        latent=rebuilt.codes.shape[1],
        map=decoded_map(context, drawn, rebuilt),
    )
    return Content(html)


def points_of(context: Context, most: int) -> int:
    """Return how many rows to draw: fewer where they are told as images."""
    most = min(most, MOST_POINTS)
    shape = context.image_shape
    if shape is None:
        return most
    channels = 3 if is_coloured(shape) else 1
    pixels = min(shape[0], side_of(context)) * min(shape[1], side_of(context)) * channels
    return max(1, min(most, MOST_PIXELS // (2 * pixels)))


def side_of(context: Context) -> int:
    """Return the greatest height and width of an image that is told."""
    shape = context.image_shape
    return COLOUR_SIDE if shape is not None and is_coloured(shape) else SIDE


def on_paper(plane: Plane, points: np.ndarray) -> tuple[np.ndarray, int]:
    """Return places (n, 2) in the drawing, y downwards, and how many lie beyond its edge, where they are drawn."""
    low, high = plane.ends
    share = (points - low) / np.maximum(high - low, 1e-12)
    outside = int(((share < 0) | (share > 1)).any(1).sum())
    share = share.clip(0, 1)
    across = MARGIN + share[:, 0] * (WIDTH - 2 * MARGIN)
    down = HEIGHT - MARGIN - share[:, 1] * (HEIGHT - 2 * MARGIN)
    return np.column_stack([across, down]), outside


def coloured(target: Target | None, index: np.ndarray) -> tuple[list[str], list[Colour]]:
    """Return the colour of each row of the sample at these places, and the legend."""
    if target is None:
        return [""] * len(index), []
    if target.numbers is not None:
        return by_number(target.numbers, index)
    codes = target.codes[index]
    colours = [f"c{code}" if 0 <= code < COLOURS else OTHERS for code in codes.tolist()]
    legend = [
        Colour(name, f"c{code}", int((codes == code).sum())) for code, name in enumerate(target.classes[:COLOURS])
    ]
    return colours, with_others(legend, colours, "other or missing")


def by_number(numbers: np.ndarray, index: np.ndarray) -> tuple[list[str], list[Colour]]:
    """Return colours by fifths of the rows."""
    present = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)))
    own = numbers[index]
    places = np.searchsorted(edges[1:-1], own, side="right")
    colours = [OTHERS if value != value else SHADES[place] for value, place in zip(own, places.tolist(), strict=True)]
    legend = [
        Colour(f"{shown(low)} to {shown(high)}", SHADES[place], colours.count(SHADES[place]))
        for place, (low, high) in enumerate(pairwise(edges.tolist()))
    ]
    return colours, with_others(legend, colours, "missing")


def with_others(legend: list[Colour], colours: Sequence[str], name: str) -> list[Colour]:
    """Return the legend with a line for rows without a colour of their own, if there are some."""
    count = list(colours).count(OTHERS)
    return [*legend, Colour(name, OTHERS, count)] if count else legend


def told(context: Context, rebuilt: Rebuilt, plane: Plane, index: np.ndarray) -> dict[str, object]:
    """Return what is told of the rows at these places, as JSON can hold it."""
    target = context.target
    labels = [cut(context.labels[place], 40) for place in rebuilt.index[index]]
    targets = ["" if target is None else target.texts[place] for place in rebuilt.index[index]]
    names: list[str] = []
    cells: list[list[tuple[str, str]]] = [[] for _ in index]
    pictures = None
    if context.image_shape is not None:
        pictures = pairs_sheet(context, rebuilt, index)
    else:
        chosen = told_columns(context, rebuilt, plane)
        names = [context.names[column] for column in chosen]
        cells = told_cells(context, rebuilt, index, chosen)
    rows = [list(row) for row in zip(labels, targets, cells, strict=True)]
    return {"target": "" if target is None else target.name, "names": names, "rows": rows, "sheet": pictures}


def embedded_size(content: object) -> int:
    """Return how many bytes content takes in a page, as JSON in which some characters are written as six."""
    text = json.dumps(content)
    return len(text) + 5 * sum(text.count(character) for character in "<>&'")


def told_columns(context: Context, rebuilt: Rebuilt, plane: Plane) -> list[int]:
    """Return the columns that go most with the plane, in their order; those that are not rebuilt come last."""
    usable = [column.kind not in AS_GIVEN for column in context.columns]
    names = [is_categorical(column) for column in context.columns]
    fit = np.where(usable, related(rebuilt.values, plane.points, names), -1.0)
    return sorted(np.argsort(-fit, kind="stable")[:MOST_COLUMNS].tolist())


def told_cells(
    context: Context, rebuilt: Rebuilt, index: np.ndarray, columns: Sequence[int]
) -> list[list[tuple[str, str]]]:
    """Return the cells of rows in these columns, and what they are rebuilt as, as texts.

    Nothing is rebuilt of columns that come back as they were given.
    """
    own = Sample(rebuilt.rows, rebuilt.index, 0).part(index).rows
    decoded = Sample(rebuilt.decoded, rebuilt.index, 0).part(index).rows
    own = own.toarray() if scipy.sparse.issparse(own) else own
    given = [column.kind in AS_GIVEN for column in context.columns]
    both = cells_of(in_schema_order(own, context.schema)), cells_of(decoded)
    return [
        [
            (
                cut(shown(both[0][column][row]), LONGEST_VALUE),
                "" if given[column] else cut(shown(both[1][column][row]), LONGEST_VALUE),
            )
            for column in columns
        ]
        for row in range(len(index))
    ]


def pairs_sheet(context: Context, rebuilt: Rebuilt, index: np.ndarray) -> dict[str, object]:
    """Return images and their reconstructions, in turn, as one picture."""
    assert context.image_shape is not None, "asked for images only"
    ends = ends_of(rebuilt.values)
    both = [
        thumbnails(values[index], context.image_shape, side_of(context), ends)
        for values in (rebuilt.values, rebuilt.decoded_values)
    ]
    turns = np.stack(both, axis=1).reshape(-1, *both[0].shape[1:])
    columns = 40
    lines = -(-len(turns) // columns)
    drawn = sheet(turns, columns, "", gap=0)
    return {"address": drawn.address, "columns": columns, "lines": lines}


def decoded_map(context: Context, plane: Plane, rebuilt: Rebuilt) -> Sheet | None:
    """Return what places of the plane decode to, as images; None where rows are no images or the plane has no codes."""
    if context.image_shape is None or context.autoencoder is None:
        return None
    low, high = np.quantile(plane.points, (0.02, 0.98), axis=0)
    steps = (np.arange(GRID) + 0.5) / GRID
    across, up = low[0] + steps * (high[0] - low[0]), low[1] + steps * (high[1] - low[1])
    codes = plane.codes(np.array([(x, y) for y in up[::-1] for x in across]))
    if codes is None:
        return None
    decoded = context.autoencoder.inverse_transform(codes.astype(rebuilt.codes.dtype))
    values = column_values(decoded, context.schema)
    images = thumbnails(values, context.image_shape, GRID_SIDE, ends_of(rebuilt.values))
    return sheet(images, GRID, "images that places of the plane decode to", gap=1)
