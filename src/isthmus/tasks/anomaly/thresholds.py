"""Where normal scores end: by a share of the rows, or without one by how the tail of the scores falls."""

import numpy as np

MIDDLE, UPPER = 0.5, 0.9
"""Between these shares of the rows the fall of the tail is measured: up to a tenth of anomalies does not change it."""
RARE = 0.01
"""Share of normal rows that is called anomalies where nothing else is asked for."""


def by_contamination(scores: np.ndarray, share: float) -> float:
    """Return the threshold above which the highest `share` of the scores (n,) are.

    Where the last of them ties with the next one, none of those that tie is above.
    """
    count = round(share * len(scores))
    ordered = np.sort(scores)
    if count == 0:
        return float(ordered[-1])
    below, above = ordered[-count - 1 if count < len(ordered) else 0], ordered[-count]
    return float(below + (above - below) / 2 if above > below else above)


def by_tail(scores: np.ndarray, rare: float = RARE) -> float:
    """Return the score that about a share `rare` of normal rows exceeds.

    Where the share of rows above a score would come to `rare`, were it to fall on exponentially as it does from the
    median to the upper tenth: anomalies among the upper tenth of the scores (n,) have no say in that. Where fewer rows
    are above it, the highest `rare` of the scores.

    Examples
    --------
    >>> exponential = -np.log1p(-np.linspace(0, 1, 10_001)[:-1])
    >>> round(by_tail(exponential), 2), round(-float(np.log(0.01)), 2)
    (4.6, 4.61)
    """
    upper = float(np.quantile(scores, UPPER))
    extrapolated = upper + float(np.log((1 - UPPER) / rare)) / tail_slope(scores)
    return min(extrapolated, float(np.quantile(scores, 1 - rare)))


def tail_slope(scores: np.ndarray) -> float:
    """Return by how much the log of the share of rows above a score falls with the score, beyond the median."""
    middle, upper = np.quantile(scores, [MIDDLE, UPPER])
    room = upper - middle
    if room <= 0:  # half of the rows tie: what is above them tells
        room = float(scores.std()) or 1.0
    return float(np.log((1 - MIDDLE) / (1 - UPPER)) / room)
