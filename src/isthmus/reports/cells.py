"""Tables of a report: cells with what they are sorted by, a bar, and a mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell."""

    text: str
    value: float | None = None
    """What the column is sorted by; None for the text."""
    bar: float | None = None
    """Length of a bar behind the text, from 0 to 1; None for no bar."""
    path: str = ""
    """A small picture of bars, as the path of an SVG of 96 by 24."""


class Heading(NamedTuple):
    """The head of a column."""

    text: str
    numeric: bool = False
    """Whether cells are numbers, which are aligned to the right."""


@dataclass(frozen=True)
class ReportTable:
    """A table that the reader can sort; the first cell of a row is its name."""

    caption: str
    headings: tuple[Heading, ...]
    rows: Sequence[tuple[Cell, ...]]


def number(value: float, unit: str = "") -> Cell:
    """Return a number as a cell; an empty one if it is not known.

    >>> number(0.12345).text, number(12.0, " %").text
    ('0.1235', '12 %')
    """
    return Cell("", -1e300) if value != value else Cell(written(value) + unit, value)


def whole(value: int) -> Cell:
    """Return a count as a cell.

    >>> whole(12345).text
    '12,345'
    """
    return Cell(f"{value:,}", float(value))


def percent(share: float, *, bar: bool = False) -> Cell:
    """Return a share as a cell, with a bar if it is asked for.

    >>> percent(0.256).text
    '25.6 %'
    """
    if share != share:
        return Cell("", -1e300)
    text = "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %".replace(".0 %", " %")
    return Cell(text, share, share if bar else None)


def written(value: float) -> str:
    """Return a number with four digits, or as a whole number where it has more.

    >>> written(12345.6), written(1.5), written(-0.0)
    ('12,346', '1.5', '0')
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value + 0.0:.4g}"


def bars_path(heights: list[float] | tuple[float, ...], width: float = 96, height: float = 24) -> str:
    """Return bars of heights from 0 to 1 as the path of an SVG.

    >>> bars_path([1.0, 0.0], 10, 5)
    'M0 5v-5h4v5z'
    """
    step = width / max(1, len(heights))
    shown = [(place, max(1.0, height * share)) for place, share in enumerate(heights) if share > 0]
    return "".join(
        f"M{step * place:.4g} {height:.4g}v-{tall:.3g}h{max(0.5, step - 1):.3g}v{tall:.3g}z" for place, tall in shown
    )
