"""The data: each column as it was read, its gaps, and the values in it."""

from collections import Counter

import numpy as np

from isthmus.data.columns import Column
from isthmus.reports.cells import Cell, Heading, ReportTable, bars_path, number, percent, whole
from isthmus.reports.column_values import is_categorical
from isthmus.reports.contact_sheets import ends_of, heat, sheet, side_for, thumbnails
from isthmus.reports.context import Context
from isthmus.reports.cut import cut
from isthmus.reports.distributions import Histogram, distribution, level_name, written
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered

MOST = 200
"""Columns that are shown."""
LONGEST_VALUE = 24
"""Characters of a value beyond which it is cut."""
MEANING = {
    "real": "numbers of any size",
    "positive": "positive numbers of very different sizes, seen on a logarithmic scale",
    "count": "whole numbers that count something",
    "boolean": "yes or no",
    "category": "one of several names",
    "ordinal": "few values in an order",
    "date-time": "dates or times, of which the place in the day, week or year is learned",
    "trend": "dates or times, as positions on a line",
    "ignored": "not learned from, for example because every row has its own value",
}
"""Kinds of columns, in plain words."""
HEADINGS = (
    Heading("column"),
    Heading("kind"),
    Heading("missing", numeric=True),
    Heading("different values", numeric=True),
    Heading("least or most frequent", numeric=False),
    Heading("middle", numeric=False),
    Heading("greatest", numeric=False),
    Heading("distribution"),
    Heading("scaled"),
    Heading("likelihood"),
)


@section("data", order=20, title="The data, column by column")
def columns(context: Context) -> Content | None:
    """Show the columns as they were read; of images, the mean and the spread of each pixel."""
    if context.image_shape is not None:
        return Content(images_html(context))
    counts = context.model is not None and context.schema.columns is None and context.model.network.likelihood.whole
    kind = "count" if counts else ""
    places = shown_columns(context)
    lines = [line(context.names[k], context.columns[k], context.values[:, k], kind) for k in places]
    kinds = Counter(kind or column.kind for column in context.columns)
    known = any(column.likelihood for column in context.columns)
    headings = HEADINGS if known else HEADINGS[:-2]
    html = rendered(
        "columns.html",
        table=ReportTable("Columns as they were read", headings, [found[: len(headings)] for found in lines]),
        kinds=[(kind, count, MEANING.get(kind, "")) for kind, count in kinds.most_common()],
        sample=context.sample,
        more=len(context.columns) - len(lines),
        gaps=percent(float(np.isnan(context.values).mean())).text,
        filled=percent(float((context.values != 0).mean())).text if context.sample.sparse else "",
        modelled=known,
    )
    return Content(html)


def shown_columns(context: Context) -> list[int]:
    """Return the places of the columns to show: all, the first ones, or of sparse rows those with most values."""
    count = len(context.columns)
    if count <= MOST or not context.sample.sparse:
        return list(range(min(count, MOST)))
    return np.argsort(-(context.values != 0).sum(0), kind="stable")[:MOST].tolist()


def images_html(context: Context) -> str:
    """Return the mean image, and how much each pixel varies."""
    shape = context.image_shape
    assert shape is not None, "asked for images only"
    values = np.nan_to_num(context.values)
    mean = thumbnails(values.mean(0, keepdims=True), shape, side_for(shape), ends_of(context.values))
    deviation = values.std(0, keepdims=True)
    spread = thumbnails(deviation, shape, side_for(shape), (0.0, max(float(deviation.max()), 1e-300)))
    grey = spread if spread.ndim == 3 else spread.mean(-1)
    return rendered(
        "image_data.html",
        sample=context.sample,
        shape=shape,
        pictures=[
            ("The mean image.", sheet(mean, 1, "the mean image")),
            (
                "How much each pixel varies between images (its standard deviation): black is not at all, light yellow "
                "the most.",
                sheet(heat(grey), 1, "the standard deviation of each pixel"),
            ),
        ],
        ends=[written(float(end), time=False) for end in (np.nanmin(context.values), np.nanmax(context.values))],
    )


def line(name: str, column: Column, values: np.ndarray, kind: str = "") -> tuple[Cell, ...]:
    """Return the line of a column with these values (s,), NaN where missing; `kind` replaces the column's own."""
    present = values[~np.isnan(values)]
    missing = 1 - len(present) / max(1, len(values))
    if column.kind == "ignored" and not len(present):
        # Text that is ignored is not read; what is known of its gaps is from training.
        missing = column.missing
    drawing = distribution(values, np.nan, np.nan, column)
    heights = drawing.bars if isinstance(drawing, Histogram) else [level.share for level in drawing.levels]
    return (
        Cell(name),
        Cell(kind or column.kind),
        percent(missing),
        whole(len(np.unique(present))) if len(present) else Cell("", -1.0),
        *ends(column, present),
        Cell("", path=bars_path(list(heights))),
        Cell(column.scaling),
        Cell(column.likelihood.replace("_", " ") or "none"),
    )


def ends(column: Column, present: np.ndarray) -> list[Cell]:
    """Return the least, middle and greatest value; of names the most frequent one."""
    if not len(present):
        return [Cell("", -1e300)] * 3
    if is_categorical(column):
        codes, counts = np.unique(present, return_counts=True)
        best = int(counts.argmax())
        share = percent(float(counts[best] / counts.sum())).text
        return [Cell(f"{cut(level_name(codes[best], column.levels), LONGEST_VALUE)} ({share})"), Cell(""), Cell("")]
    found = [float(value) for value in np.quantile(present, (0, 0.5, 1))]
    if column.levels:
        return [Cell(cut(level_name(round(value), column.levels), LONGEST_VALUE), value) for value in found]
    if column.sort == "time":
        return [Cell(written(value, time=True).removesuffix(" 00:00"), value) for value in found]
    return [number(value) for value in found]
