"""`trial_plot`: a small SVG plot of the trials of a search, without any dependency."""

import math
from collections.abc import Sequence
from html import escape

from isthmus.engine.loss_curve import BOTTOM, HEIGHT, LEFT, PADDING, RIGHT, STYLES, TOP, WIDTH, axis, y_ticks
from isthmus.tasks.tuning.trial_row import TrialRow, value_of_defaults


def trial_plot(table: Sequence[TrialRow], chosen: int, measure: str) -> str:
    """Return the plot as an SVG element: a dot per completed trial, the defaults as a line.

    The chosen trial is larger. Trials that are far worse than the others are drawn at the edge.

    Parameters
    ----------
    table
        As in `Tuning.table`.
    chosen
        The number of the trial that was taken.
    measure
        What the values are.
    """
    known = [(row["trial"], row["value"]) for row in table if row["state"] == "complete" and row["value"] is not None]
    usual = value_of_defaults(table)
    low, high = shown_range([usual, *(value for _, value in known)])
    across = axis([number for number, _ in known], LEFT + 12, WIDTH - RIGHT - 12)
    up = axis([low, high], HEIGHT - BOTTOM, TOP, PADDING)
    bottom, line = HEIGHT - BOTTOM, up.pixel(min(max(usual, low), high))
    parts = [
        f'<line x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}" stroke="currentColor"/>',
        *y_ticks(up),
    ]
    parts.append(
        f'<line x1="{LEFT}" y1="{line:.1f}" x2="{WIDTH - RIGHT}" y2="{line:.1f}" stroke="currentColor" '
        'stroke-dasharray="4 4"><title>the defaults</title></line>'
    )
    for number, value in known:
        colour, radius = (STYLES[1][0], 6) if number == chosen else (STYLES[0][0], 3.5)
        x, y = across.pixel(number), up.pixel(min(max(value, low), high))
        words = f"trial {number}: {value:.5g}{', chosen' if number == chosen else ''}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"><title>{words}</title></circle>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">trial (dashed: the defaults; '
        "large: chosen)</text>"
    )
    parts.append(f'<text x="{LEFT}" y="14">{escape(measure)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="11" fill="currentColor">'
        f"<title>{escape(measure)} of each trial</title>{''.join(parts)}</svg>"
    )


def shown_range(values: Sequence[float]) -> tuple[float, float]:
    """Return the values between which trials are drawn: without the outliers of a few that went wrong."""
    ordered = sorted(value for value in values if math.isfinite(value))
    quarter = len(ordered) // 4
    low, high = ordered[quarter], ordered[-1 - quarter]
    reach = 3 * (high - low) or (ordered[-1] - ordered[0])
    inside = [value for value in ordered if low - reach <= value <= high + reach]
    return min([*inside, values[0]]), max([*inside, values[0]])
