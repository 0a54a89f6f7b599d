"""`loss_curve`: a small SVG plot of the training and validation loss per epoch, without any dependency."""

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

WIDTH, HEIGHT = 460, 220
LEFT, RIGHT, TOP, BOTTOM = 80, 12, 26, 38
"""Margins around the plot, in pixels."""
PADDING = 0.04
"""Share of the range of losses that is left free above and below them."""
TICKS = 5
"""Tick labels per axis, about."""
STYLES = (("#1f7fc4", ""), ("#d55e00", "6 3"))
"""Colour and dashes of each line; distinguishable with every kind of colour vision, and without colour by the dashes.

The text and the axes take the page's own colour, so that they can be read on dark pages too.
"""


class Axis(NamedTuple):
    """A linear map from values to pixels."""

    least: float
    greatest: float
    start: float
    end: float

    def pixel(self, value: float) -> float:
        """Return where a value lies."""
        share = (value - self.least) / (self.greatest - self.least)
        return self.start + share * (self.end - self.start)


def loss_curve(epochs: Sequence[float], losses: dict[str, Sequence[float]]) -> str:
    """Return the plot as an SVG element; empty if no loss is finite.

    Parameters
    ----------
    epochs
        (E,) the epochs.
    losses
        By name, (E,) values each; values that are not finite leave a gap in the line.
    """
    finite = {
        name: [(e, v) for e, v in zip(epochs, values, strict=True) if math.isfinite(v)]
        for name, values in losses.items()
    }
    values = [value for points in finite.values() for _, value in points]
    if not values:
        return ""
    across = axis([epoch for points in finite.values() for epoch, _ in points], LEFT, WIDTH - RIGHT)
    up = axis(values, HEIGHT - BOTTOM, TOP, PADDING)
    parts = [*x_ticks(across), *y_ticks(up)]
    for place, (name, column) in enumerate(losses.items()):
        colour, dashes = STYLES[place % len(STYLES)]
        parts += line(epochs, column, across, up, colour, dashes)
        parts += legend(name, LEFT + 110 * place, colour, dashes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="11" fill="currentColor">'
        f"<title>{escape(' and '.join(losses))} per epoch</title>{''.join(parts)}</svg>"
    )


def axis(values: Sequence[float], start: float, end: float, padding: float = 0.0) -> Axis:
    """Return an axis on which all values lie; a single value lies in the middle."""
    around = padding * (max(values) - min(values))
    least, greatest = min(values) - around, max(values) + around
    if least == greatest:
        around = 0.5 * abs(least) or 0.5
        least, greatest = least - around, greatest + around
    return Axis(least, greatest, start, end)


def x_ticks(across: Axis) -> list[str]:
    """Return the horizontal axis: labels at whole epochs, and its name."""
    bottom = HEIGHT - BOTTOM
    shown = sorted({round(tick) for tick in ticks(across) if across.least <= round(tick) <= across.greatest})
    labels = [
        f'<text x="{across.pixel(epoch):.1f}" y="{bottom + 15}" text-anchor="middle">{epoch}</text>' for epoch in shown
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    rule = f'<line x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}" stroke="currentColor"/>'
    return [rule, *labels, f'<text x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">epoch</text>']


def y_ticks(up: Axis) -> list[str]:
    """Return the vertical axis: labels, each with a faint line across the plot, and its name."""
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts = [f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">nats per row</text>']
    for tick in ticks(up):
        y = up.pixel(tick)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="currentColor" '
            'stroke-opacity="0.15"/>'
        )
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.6g}</text>')
    return parts


def ticks(along: Axis) -> list[float]:
    """Return about `TICKS` round numbers on an axis: multiples of 1, 2 or 5 times a power of ten."""
    rough = (along.greatest - along.least) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.ceil(along.least / step), math.floor(along.greatest / step)
    return [step * count for count in range(first, last + 1)]


def line(
    epochs: Sequence[float], values: Sequence[float], across: Axis, up: Axis, colour: str, dashes: str
) -> list[str]:
    """Return a line through the finite values; a value between two gaps is a dot."""
    parts = []
    pairs = zip(epochs, values, strict=True)
    for there, run in groupby(pairs, key=lambda pair: math.isfinite(pair[1])):
        points = [(across.pixel(epoch), up.pixel(value)) for epoch, value in run] if there else []
        if len(points) == 1:
            parts.append(f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>')
        elif points:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" {stroke(colour, dashes)}/>')
    return parts


def legend(name: str, x: float, colour: str, dashes: str) -> list[str]:
    """Return the name of a line beside a piece of it, above the plot."""
    return [
        f'<line x1="{x}" y1="12" x2="{x + 24}" y2="12" {stroke(colour, dashes)}/>',
        f'<text x="{x + 30}" y="16">{escape(name)}</text>',
    ]


def stroke(colour: str, dashes: str) -> str:
    """Return the attributes that draw a line in a style; no dashes for a solid line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'stroke="{colour}" stroke-width="2"{dashed}'
