"""`Counterfactual`: which cells of a row would have to be others for it to be normal, and which values would do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isthmus.tasks.anomaly.shown import shown

ONE_BY_ONE = 8
"""Number of columns up to which one after the other is replaced; then twice as many at a time."""
MOST_NAMED = 5
"""Greatest number of columns that the sentence names."""

ScoreWith = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From rows (m,) and which of their columns are replaced (m, columns) to scores (m,); higher is odder."""


@dataclass(frozen=True)
class Counterfactual:
    """What would have to be different for a row to be normal, in the data's units.

    Printed, it is a sentence. The change was tried: `score` is what the row scores with the values in place.

    Attributes
    ----------
    columns : tuple
        The names of the columns to change. None of them can be left out, as long as they are at most eight.
    seen, values : tuple
        The values that are there, and those that would make the row normal; None where a cell is missing.
    score : float
        The score of the row with these values.
    normal : bool
        Whether that score is at or below the threshold. False if no change that was tried is enough; the columns are
        then all those that were changed.

    Examples
    --------
    >>> print(Counterfactual(("age",), (150,), (41,), 1.2, True))
    normal if `age` were 41 instead of 150
    >>> print(Counterfactual(("age", "state"), (150, "new"), (41, "old"), 1.2, True))
    normal if `age` were 41 instead of 150 and `state` were old instead of new
    >>> print(Counterfactual(("age",), (150,), (41,), 9.9, False))
    odd even if `age` were 41 instead of 150
    """

    columns: tuple[object, ...]
    seen: tuple[object, ...]
    values: tuple[object, ...]
    score: float
    normal: bool

    def __str__(self) -> str:
        triples = list(zip(self.columns, self.values, self.seen, strict=True))
        parts = [f"`{name}` were {shown(value)} instead of {shown(seen)}" for name, value, seen in triples[:MOST_NAMED]]
        if len(triples) > MOST_NAMED:
            parts.append(f"{len(triples) - MOST_NAMED} more columns were as expected")
        listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
        return f"{'normal if' if self.normal else 'odd even if'} {listed}"


@dataclass(frozen=True)
class Change:
    """Which columns of a row to replace, and what comes of it."""

    columns: np.ndarray
    """Their indices, (m,)."""
    score: float
    """The score of the row with their expected values."""


def smallest_changes(order: np.ndarray, score_with: ScoreWith, threshold: float) -> list[Change]:
    """Return, for each row, a set of columns with whose replacement it scores at most the threshold.

    Columns are added in the order given until the row is normal: one at a time, from eight on twice as many at a time.
    From a set of at most eight each column is then left out that is not needed. If all columns are not enough the
    change has them all, and a score above the threshold.

    Parameters
    ----------
    order
        (n, m) the columns of each row, those that matter most first.
    score_with
        Scores rows with some columns replaced.
    threshold
        Scores up to this one are normal.

    Examples
    --------
    >>> wrong = np.array([[1.0, 2.0, 0.0]])
    >>> score_with = lambda rows, replaced: (wrong[rows] * ~replaced).sum(1)
    >>> smallest_changes(np.array([[0, 1, 2]]), score_with, 1.5)[0].columns.tolist()
    [1]
    """
    rows, width = order.shape
    replaced, scores = np.zeros((rows, width_of(order)), dtype=bool), np.full(rows, np.inf)
    left, count = np.arange(rows), 0
    while len(left) and count < width:
        new = order[left, count : count + (1 if count < ONE_BY_ONE else count)]
        replaced[left[:, None], new] = True
        count += new.shape[1]
        scores[left] = score_with(left, replaced[left])
        left = left[scores[left] > threshold]
    few = np.flatnonzero((scores <= threshold) & (replaced.sum(1) <= ONE_BY_ONE))
    for place in range(min(ONE_BY_ONE, width)):
        without = replaced[few].copy()
        np.put_along_axis(without, order[few, place : place + 1], False, 1)
        found = score_with(few, without) if len(few) else np.empty(0)
        # A row that was normal from the start keeps one column.
        enough = (found <= threshold) & without.any(1)
        replaced[few[enough]], scores[few[enough]] = without[enough], found[enough]
    rows_found = zip(order, replaced, scores, strict=True)
    return [Change(own[changed[own]], float(score)) for own, changed, score in rows_found]


def width_of(order: np.ndarray) -> int:
    """Return how many columns there are, at least, by the indices of some."""
    return int(order.max()) + 1 if order.size else 0
