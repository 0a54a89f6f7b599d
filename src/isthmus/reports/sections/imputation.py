"""Gaps: how many, by what each column is filled, how well, and some rows with their gaps filled."""

from typing import NamedTuple

import numpy as np

from isthmus.reports.cells import Cell, Heading, ReportTable, number, percent, whole
from isthmus.reports.context import Context
from isthmus.reports.cut import cut
from isthmus.reports.registration import Content, Tile, section
from isthmus.reports.rendering import rendered
from isthmus.tasks.anomaly.explaining import in_schema_order
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.shown import shown
from isthmus.tasks.imputation.filling import MEAN
from isthmus.tasks.imputation.floor import ColumnFloor
from isthmus.tasks.imputation.imputer import Imputer

MOST = 200
"""Columns that are shown."""
ROWS, COLUMNS = 8, 12
"""Rows and columns that are shown with their gaps filled."""
LONGEST_VALUE = 24
HEADINGS = (
    Heading("column"),
    Heading("gaps", numeric=True),
    Heading("filled by"),
    Heading("error", numeric=True),
    Heading("error of the mean", numeric=True),
    Heading("measured as"),
    Heading("on hidden cells", numeric=True),
)
MEASURES = {"sd": "standard deviations of the column", "wrong": "share of wrong values"}


class Filled(NamedTuple):
    """A row with its gaps filled."""

    label: str
    cells: list[tuple[str, bool]]
    """Each cell's text, and whether it was a gap."""


@section("gaps", order=65, title="Gaps and what fills them")
def gaps(context: Context) -> Content | None:
    """Show what fills the gaps of each column."""
    imputer = context.imputer
    if imputer is None:
        return None
    missing = np.isnan(context.values)
    names = {column.name: place for place, column in enumerate(context.columns)}
    floor = sorted(imputer.floor_, key=lambda one: -float(missing[:, names[one.name]].mean()))
    lines = [line(context, one, float(missing[:, names[one.name]].mean())) for one in floor[:MOST]]
    rows, columns = filled_rows(context, imputer, missing)
    html = rendered(
        "gaps.html",
        table=ReportTable("Columns, those with most gaps first", HEADINGS, lines),
        more=len(floor) - len(lines),
        rows=rows,
        names=[context.names[column] for column in columns],
        count=int(missing.sum()),
        share=percent(float(missing.mean())).text,
    )
    return Content(html, tuple(tiles(floor, int(missing.sum()))))


def tiles(floor: list[ColumnFloor], count: int) -> list[Tile]:
    """Return how many gaps there are, and how much better they are filled than by the mean."""
    found = [Tile(f"{count:,}", "missing cells in the rows that were looked at")]
    ratios = [one.error / one.errors[MEAN] for one in floor if one.errors.get(MEAN, 0.0) > 0 and one.error == one.error]
    if ratios:
        won = 1 - float(np.median(ratios))
        word = "less" if won >= 0 else "more"
        found.append(Tile(f"{100 * abs(won):.0f} % {word}", "error than the mean as a filling, in the median column"))
    return found


def line(context: Context, one: ColumnFloor, share: float) -> tuple[Cell, ...]:
    """Return the line of a column."""
    return (
        Cell(cut(str(one.name))),
        percent(share),
        Cell(one.filled_by),
        number(one.error),
        number(one.errors.get(MEAN, float("nan"))),
        Cell(MEASURES.get(one.measure, one.measure)),
        whole(one.cells),
    )


def filled_rows(context: Context, imputer: Imputer, missing: np.ndarray) -> tuple[list[Filled], list[int]]:
    """Return the rows with most gaps that still hold half of their cells, filled, and the columns that are shown."""
    gaps = missing.sum(1)
    usable = np.where(gaps <= missing.shape[1] / 2, gaps, 0)
    index = np.sort(np.argsort(-usable, kind="stable")[:ROWS])
    index = index[usable[index] > 0]
    if not len(index):
        return [], []
    order = np.argsort(-missing[index].sum(0), kind="stable")[:COLUMNS]
    columns = sorted(int(column) for column in order)
    rows = context.sample.part(index).rows
    cells = cells_of(in_schema_order(imputer.transform(rows), context.schema))
    found = [
        Filled(
            cut(context.labels[place], 32),
            [(cut(shown(cells[k][row]), LONGEST_VALUE), bool(missing[place, k])) for k in columns],
        )
        for row, place in enumerate(index)
    ]
    return found, columns
