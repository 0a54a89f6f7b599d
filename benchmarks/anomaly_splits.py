"""Tables with anomalies, split into rows to fit and rows to score for both settings."""

from typing import NamedTuple

import numpy as np

from benchmarks.gaps import adbench, whole

SETTINGS = ("clean", "contaminated")
ROWS = 10_000
"""Maximum number of rows to fit and, if other rows are scored, to score."""


class Split(NamedTuple):
    """Rows to fit, rows to score, and which of the latter are anomalies."""

    fit: np.ndarray
    score: np.ndarray
    anomaly: np.ndarray


def tables() -> list[str]:
    """Return the names of the tables in ISTHMUS_DATA, if it is set."""
    return [path.stem for path in adbench()]


def split(table: str, setting: str, seed: int, rows: int = ROWS) -> Split:
    """Return a random split of a table without duplicate rows.

    "clean" (one-class): fit on a shuffled half of the normal rows, score the other half and all anomalies.
    "contaminated" (unsupervised): fit and score the same rows, with the table's own share of anomalies. At most `rows`
    randomly chosen rows are fitted, and at most as many scored.
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
