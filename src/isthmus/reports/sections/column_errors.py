"""The reconstruction error of each column, beside that of its mean or most frequent value."""

from typing import NamedTuple

import numpy as np

from isthmus.data.columns import AS_GIVEN, Column
from isthmus.reports.cells import Cell, Heading, ReportTable, number, percent
from isthmus.reports.column_values import is_categorical
from isthmus.reports.contact_sheets import heat, sheet, side_for, thumbnails
from isthmus.reports.context import Context, Rebuilt
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered

MOST = 200
"""Columns that are shown."""
SHOWN = 320
"""Width at which a map of errors is shown."""
HEADINGS = (
    Heading("column"),
    Heading("kept", numeric=True),
    Heading("error", numeric=True),
    Heading("error without the model", numeric=True),
    Heading("measured as"),
)


class ColumnError(NamedTuple):
    """The error of a column."""

    column: int
    error: float
    """Root mean squared error in the column's units, or the share of wrong names."""
    without: float
    """The same of the mean, or of the most frequent name."""
    kept: float
    """Part of what the column tells that is kept: 1 for perfect reconstructions, 0 for the mean's."""
    wrong: bool
    """Whether the error is a share of wrong names."""


@section("columns", order=45, title="Which columns the code keeps")
def column_errors(context: Context) -> Content | None:
    """Show how well each column is reconstructed."""
    rebuilt = context.rebuilt
    if rebuilt is None:
        return None
    found = errors_by_column(rebuilt, context.columns)
    if not found:
        return None
    if context.image_shape is not None:
        squares = np.nan_to_num((rebuilt.values - rebuilt.decoded_values) ** 2).mean(0, keepdims=True)
        most = max(float(squares.max()), 1e-300)
        small = thumbnails(squares, context.image_shape, side_for(context.image_shape), (0.0, most))
        grey = small if small.ndim == 3 else small.mean(-1)
        picture = sheet(heat(grey), 1, "mean squared error of each pixel")
        return Content(rendered("pixel_errors.html", picture=picture, shown=SHOWN, rows=len(rebuilt.index)))
    worst = sorted(found, key=lambda one: one.kept)[:MOST]
    lines = [line(context.names[one.column], one) for one in worst]
    html = rendered(
        "column_errors.html",
        table=ReportTable("Columns, the worst kept first", HEADINGS, lines),
        rows=len(rebuilt.index),
        more=len(found) - len(worst),
    )
    return Content(html)


def line(name: str, one: ColumnError) -> tuple[Cell, ...]:
    """Return the line of a column."""
    measured = "wrong values" if one.wrong else "RMSE"
    as_cell = percent if one.wrong else number
    return Cell(name), percent(one.kept, bar=True), as_cell(one.error), as_cell(one.without), Cell(measured)


def errors_by_column(rebuilt: Rebuilt, columns: tuple[Column, ...]) -> list[ColumnError]:
    """Return the error of every column that is reconstructed and varies."""
    found = []
    for place, column in enumerate(columns):
        own, decoded = rebuilt.values[:, place], rebuilt.decoded_values[:, place]
        there = ~np.isnan(own) & ~np.isnan(decoded)
        if column.kind in AS_GIVEN or not there.any():
            continue
        own, decoded = own[there], decoded[there]
        wrong = is_categorical(column)
        if wrong:
            error = float((own != decoded).mean())
            without = 1 - float(np.unique(own, return_counts=True)[1].max() / len(own))
            left = error / without if without > 0 else float("nan")
        else:
            error, without = float(np.sqrt(((own - decoded) ** 2).mean())), float(own.std())
            left = (error / without) ** 2 if without > 0 else float("nan")
        if left == left:
            found.append(ColumnError(place, error, without, 1 - left, wrong))
    return found
