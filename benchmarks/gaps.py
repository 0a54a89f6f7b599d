"""Tables with labels, and the removal of cells at random or depending on their value."""

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
"""Tables that scikit-learn contains; linnerud is left out because it has only 20 rows."""
UNLABELLED = ("diabetes",)
"""Tables whose target is a number instead of a class."""
STEEPNESS = 2.0
"""Increase of the log odds of being missing per standard deviation of the value (mnar)."""


def names() -> list[str]:
    """Return the names of scikit-learn's tables and of those in `adbench` in the folder ISTHMUS_DATA, if it is set."""
    return [*SCIKIT_LEARN, *(path.stem for path in adbench())]


def adbench() -> list[Path]:
    """Return the files of ADBench's tables, in the order of their numbers."""
    root = os.environ.get("ISTHMUS_DATA")
    if not root:
        return []
    return sorted(Path(root, "adbench").glob("*.npz"), key=lambda path: int(path.stem.split("_")[0]))


@lru_cache(maxsize=4)
def whole(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows X (n, F), float64, without constant columns, and their classes or targets y (n,)."""
    if name in SCIKIT_LEARN:
        X, y = SCIKIT_LEARN[name](return_X_y=True)
    else:
        files = {path.stem: path for path in adbench()}
        if name not in files:
            raise ValueError(f"no table is called {name!r}; there are {names()}")
        with np.load(files[name]) as file:
            X, y = file["X"], file["y"]
    X = X.astype(np.float64)
    first = ~pd.DataFrame(X).duplicated().to_numpy()
    return varied(X[first]), y[first]


def varied(X: np.ndarray) -> np.ndarray:
    """Return the columns that hold more than one value."""
    return X[:, np.ptp(X, axis=0) > 0]


def at_most(X: np.ndarray, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random choice of columns in their original order, without constant ones."""
    X = varied(X)
    return X[:, np.sort(rng.permutation(X.shape[1])[:columns])]


def labelled_sample(name: str, rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a random choice of rows and their classes, in which rare classes keep up to half of an equal share.

    Many tables of ADBench have one anomaly in a thousand rows; a plain random choice would leave none.
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
    """Return which cells of X (n, F) to remove, (n, F) bool.

    Parameters
    ----------
    X : array of shape (n, F)
        Numbers without constant columns; NaN where a cell is missing already.
    mechanism : {"mcar", "mar", "mnar"}
        "mcar" removes each cell with probability `rate`. "mnar" lets the probability rise or fall with the value of
        the cell; the direction is drawn for each column. The curve is logistic with `STEEPNESS` per standard
        deviation, and its offset makes the mean probability of the column equal to `rate`. "mar" keeps a third of the
        columns, and lets the probability in each of the others rise or fall, in the same way, with one of those.
    rate : float
        Share of the cells, or under "mar" of those of the columns that are not kept. A row keeps at least one cell and
        a column two (restored at random), so slightly fewer go.
    seed : int
        Seed of the random draws.
    """
    rng = np.random.default_rng([seed, 1])
    present = ~np.isnan(X)
    if mechanism == "mcar":
        chances = np.full(X.shape, rate)
    elif mechanism == "mar":
        chances = other_value_chances(X, rate, rng)
    else:
        chances = own_value_chances(X, rate, rng)
    missing = (rng.random(X.shape) < chances) & present
    for row in np.flatnonzero(missing.any(1) & ~(present & ~missing).any(1)):
        places = np.flatnonzero(missing[row])
        missing[row, places[rng.integers(len(places))]] = False
    for column in np.flatnonzero((present & ~missing).sum(0) < 2):
        missing[rng.choice(np.flatnonzero(present[:, column]), 2, replace=False), column] = False
    return missing


def own_value_chances(X: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return probabilities (n, F) that rise or fall with the value of the cell, and are even where that is missing."""
    signs = rng.choice([-1.0, 1.0], X.shape[1])
    scores = np.nan_to_num(STEEPNESS * signs * (X - np.nanmean(X, 0)) / np.nanstd(X, 0))
    far = 50 + np.abs(scores).max()
    offsets = [brentq(lambda offset, s=s: expit(s + offset).mean() - rate, -far, far) for s in scores.T]
    return np.asarray(expit(scores + np.array(offsets)))


def other_value_chances(X: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return probabilities (n, F) that rise or fall with a cell of the same row that is never removed."""
    columns = X.shape[1]
    kept = rng.permutation(columns)[: max(1, round(columns / 3))]
    causes = rng.choice(kept, columns)
    chances = own_value_chances(X[:, causes], rate, rng)
    chances[:, kept] = 0.0
    return chances
