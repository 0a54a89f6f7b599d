"""Tables with anomalies, cut into rows to fit and rows to score as the two settings ask."""

from typing import NamedTuple

import numpy as np

from benchmarks.gaps import adbench, whole

SETTINGS = ("clean", "contaminated")
ROWS = 10_000
"""Rows at most to fit, and, where other rows are scored, to score."""


class Split(NamedTuple):
    """Rows to fit, rows to score, and which of these are anomalies."""

    fit: np.ndarray
    score: np.ndarray
    anomaly: np.ndarray


def tables() -> list[str]:
    """Names of the tables, if ISTHMUS_DATA is set and has them."""
    return [path.stem for path in adbench()]


def split(table: str, setting: str, seed: int, rows: int = ROWS) -> Split:
    """Draw the rows of a table; none is there twice.

    "clean" (one-class): fit on a shuffled half of the normal rows, score the other half and all anomalies.
    "contaminated" (unsupervised): fit and score the same rows, anomalies at the table's own rate. Of larger tables a
    random choice of at most `rows` rows is fitted, and scored.
    """
    X, y = whole(table)
    order = np.random.default_rng([seed, 2]).permutation(len(X))
    if setting == "contaminated":
        chosen = order[:rows]
        return Split(X[chosen], X[chosen], y[chosen] == 1)
    normal, anomalies = order[y[order] == 0], order[y[order] == 1]
    half = len(normal) // 2
    scored = np.concatenate([normal[half:], anomalies])
    scored = scored[np.random.default_rng([seed, 3]).permutation(len(scored))[:rows]]
    return Split(X[normal[:half][:rows]], X[scored], y[scored] == 1)
