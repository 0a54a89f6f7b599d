"""Tables with anomalies, split into rows to fit and rows to score."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.gaps import adbench, whole

SETTINGS = ("clean", "contaminated", "oddbench")
ROWS = 10_000
"""Maximum number of rows to fit and, if other rows are scored, to score."""


class Split(NamedTuple):
    """Rows to fit, rows to score, and which of the latter are anomalies."""

    fit: np.ndarray
    score: np.ndarray
    anomaly: np.ndarray


def tables(setting: str) -> list[str]:
    """Return the names of the tables of a setting in ISTHMUS_DATA, if it is set."""
    return sorted(path.stem for path in oddbench()) if setting == "oddbench" else [path.stem for path in adbench()]


def oddbench() -> list[Path]:
    """Return the files of OddBench's tables."""
    root = os.environ.get("ISTHMUS_DATA")
    return list(Path(root, "oddbench").glob("*.npz")) if root else []


def split(table: str, setting: str, seed: int, rows: int = ROWS) -> Split:
    """Return a random split of a table without duplicate rows.

    "clean" (one-class): fit on a shuffled half of the normal rows, score the other half and all anomalies.
    "contaminated" (unsupervised): fit and score the same rows, with the table's own share of anomalies. "oddbench": its
    own split, clean rows to fit. At most `rows` randomly chosen rows are fitted, and at most as many scored.
    """
    if setting == "oddbench":
        return own_split(table, seed, rows)
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


def own_split(table: str, seed: int, rows: int) -> Split:
    """Return the split that a table of OddBench comes with, without columns that are constant in the rows to fit."""
    files = {path.stem: path for path in oddbench()}
    with np.load(files[table]) as file:
        fit, score, anomaly = file["train"], file["test"], file["test_labels"] == 1
    chosen, scored = (np.random.default_rng([seed, n]).permutation(len(X))[:rows] for n, X in ((2, fit), (3, score)))
    fit, score = fit[chosen].astype(np.float64), score[scored].astype(np.float64)
    varies = np.ptp(fit, axis=0) > 0
    return Split(fit[:, varies], score[:, varies], anomaly[scored])
