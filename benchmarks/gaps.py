"""Tables with labels to measure on, and cells removed from them at random or not at random."""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from sklearn import datasets

SCIKIT_LEARN: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "digits": datasets.load_digits,
}
"""Bundled tables; linnerud's 20 rows are too few."""
UNLABELLED = ("diabetes",)
"""Tables whose target is a number, not a class."""
STEEPNESS = 2.0
"""By how much the log odds of being missing rise with a standard deviation, not at random."""


def names() -> list[str]:
    """Names of scikit-learn's tables and of those in the folder `adbench` of ISTHMUS_DATA, if that is set."""
    return [*SCIKIT_LEARN, *(path.stem for path in adbench())]


def adbench() -> list[Path]:
    """Files of ADBench's tables, in the order of their numbers."""
    root = os.environ.get("ISTHMUS_DATA")
    if not root:
        return []
    return sorted(Path(root, "adbench").glob("*.npz"), key=lambda path: int(path.stem.split("_")[0]))


@lru_cache(maxsize=4)
def whole(name: str) -> tuple[np.ndarray, np.ndarray]:
    """All different rows X (n, F), float64, without constant columns, and their classes or targets y (n,)."""
    if name in SCIKIT_LEARN:
        X, y = SCIKIT_LEARN[name](return_X_y=True)
    else:
        with np.load(next(path for path in adbench() if path.stem == name)) as file:
            X, y = file["X"], file["y"]
    X = X.astype(np.float64)
    first = ~pd.DataFrame(X).duplicated().to_numpy()
    return varied(X[first]), y[first]


def varied(X: np.ndarray) -> np.ndarray:
    """Columns that hold more than one value."""
    return X[:, np.ptp(X, axis=0) > 0]


def at_most(X: np.ndarray, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random choice of the columns, in their order, without constant ones."""
    X = varied(X)
    return X[:, np.sort(rng.permutation(X.shape[1])[:columns])]


def sample(name: str, rows: int, columns: int, seed: int) -> np.ndarray:
    """Return a random choice of at most so many rows and columns, without constant columns."""
    X, _ = whole(name)
    rng = np.random.default_rng([seed, 0])
    return at_most(X[np.sort(rng.permutation(len(X))[:rows])], columns, rng)


def labelled_sample(name: str, rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a random choice of rows in which rare classes keep up to half of an equal share, and their classes.

    As many tables of ADBench have an anomaly in a thousand rows, a plain choice would leave none to tell apart.
    """
    X, y = whole(name)
    rng = np.random.default_rng([seed, 0])
    order = rng.permutation(len(X))
    classes, counts = np.unique(y, return_counts=True)
    wanted = np.maximum(rows * counts / len(y), rows / (2 * len(classes))).astype(int)
    wanted = np.minimum(wanted, counts)
    wanted[counts.argmax()] -= max(0, wanted.sum() - rows)
    chosen = np.sort(np.concatenate([order[y[order] == c][:n] for c, n in zip(classes, wanted, strict=True)]))
    return at_most(X[chosen], columns, rng), y[chosen]


def gaps(X: np.ndarray, mechanism: str, rate: float, seed: int) -> np.ndarray:
    """Which cells of X (n, F) to remove, (n, F) bool.

    Parameters
    ----------
    X : array of shape (n, F)
        Complete, no column constant.
    mechanism : {"mcar", "mnar"}
        "mcar" removes each cell with probability `rate`. "mnar" lets the probability rise with the cell's own value,
        or fall, by a coin for each column: a logistic curve, `STEEPNESS` a standard deviation, its offset such that
        the column's mean probability is `rate`.
    rate : float
        Share of cells. As a row keeps at least one cell and a column two (put back at random), a little less goes.
    seed : int
        Of the coins.
    """
    rng = np.random.default_rng([seed, 1])
    chances = np.full(X.shape, rate) if mechanism == "mcar" else own_value_chances(X, rate, rng)
    missing = rng.random(X.shape) < chances
    for row in np.flatnonzero(missing.all(1)):
        missing[row, rng.integers(X.shape[1])] = False
    for column in np.flatnonzero((~missing).sum(0) < 2):
        missing[rng.choice(len(X), 2, replace=False), column] = False
    return missing


def own_value_chances(X: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Probabilities (n, F) that rise or fall with the value itself."""
    signs = rng.choice([-1.0, 1.0], X.shape[1])
    scores = STEEPNESS * signs * (X - X.mean(0)) / X.std(0)
    far = 50 + np.abs(scores).max()
    offsets = [brentq(lambda offset, s=s: expit(s + offset).mean() - rate, -far, far) for s in scores.T]
    return np.asarray(expit(scores + np.array(offsets)))
