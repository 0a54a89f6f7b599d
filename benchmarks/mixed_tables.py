"""Tables of numbers and texts as frames, and the removal of their cells."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.gaps import gaps, whole
from benchmarks.gaps import names as number_names

MOST_LEVELS = 50
"""A text column with more values is left out: it names rows."""
LEAST_CELLS = 20
"""A column with fewer cells in the chosen rows is left out."""


def names() -> list[str]:
    """Return the names of all tables: those of `tables` in the folder ISTHMUS_DATA, and the tables of numbers."""
    return [*(path.stem for path in files()), *number_names()]


def files() -> list[Path]:
    """Return the csv files of `tables` in the folder ISTHMUS_DATA, if it is set."""
    root = os.environ.get("ISTHMUS_DATA")
    return sorted(Path(root, "tables").glob("*.csv")) if root else []


@lru_cache(maxsize=4)
def frame(name: str) -> pd.DataFrame:
    """Return the distinct rows of a table: float64 numbers, and texts that do not name rows."""
    paths = {path.stem: path for path in files()}
    if name not in paths:
        X, _ = whole(name)
        return pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
    table = pd.read_csv(paths[name]).drop_duplicates()
    for column in table:
        if table[column].dtype.kind in "biu":
            table[column] = table[column].astype(np.float64)
    return table[[c for c in table if is_number(table[c]) or not names_rows(table[c])]].reset_index(drop=True)


def names_rows(texts: pd.Series) -> bool:
    """Return whether most texts occur once, or there are more than `MOST_LEVELS` different ones."""
    return texts.nunique() > min(MOST_LEVELS, texts.count() / 2)


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds numbers instead of texts."""
    return column.dtype.kind == "f"


def is_category(column: pd.Series) -> bool:
    """Return whether guesses are right or wrong: texts, and numbers that are 0 or 1."""
    return not is_number(column) or set(column.dropna().unique()) <= {0.0, 1.0}


def sample(name: str, rows: int, columns: int, seed: int) -> pd.DataFrame:
    """Return a random choice of at most that many rows and columns, without constant and nearly empty columns."""
    rng = np.random.default_rng([seed, 0])
    table = frame(name)
    table = table.iloc[np.sort(rng.permutation(len(table))[:rows])].reset_index(drop=True)
    table = table[[c for c in table if table[c].nunique() > 1 and table[c].count() >= LEAST_CELLS]]
    return table.iloc[:, np.sort(rng.permutation(table.shape[1])[:columns])]


def hidden(table: pd.DataFrame, mechanism: str, rate: float, seed: int) -> pd.DataFrame:
    """Return which cells to remove (`benchmarks.gaps.gaps`), (n, F) bool; texts count as numbers drawn for each."""
    rng = np.random.default_rng([seed, 2])
    values = {c: table[c] if is_number(table[c]) else drawn_values(table[c], rng) for c in table}
    removed = gaps(np.column_stack(list(values.values())).astype(np.float64), mechanism, rate, seed)
    return pd.DataFrame(removed, columns=table.columns)


def drawn_values(texts: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Return a standard normal number for each different text, (n,); NaN where there is none."""
    codes, levels = pd.factorize(texts, sort=True)
    drawn = rng.normal(size=len(levels))
    return np.asarray(np.where(codes < 0, np.nan, drawn[codes]))


def losses(table: pd.DataFrame, removed: pd.DataFrame, filled: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the errors in removed cells by kind and column.

    "numbers" are root mean squared errors in standard deviations of the column, "categories" shares of wrong guesses.
    A number that is guessed for a column of zeros and ones is rounded.

    Raises
    ------
    ValueError
        If a removed cell was not filled.
    """
    found: dict[str, dict[str, float]] = {"numbers": {}, "categories": {}}
    for column in table:
        gone = removed[column].to_numpy()
        if not gone.any():
            continue
        truth, guess = table[column][gone], filled[column][gone]
        if guess.isna().any():
            raise ValueError(f"column {column!r}: {guess.isna().sum()} of {gone.sum()} removed cells were not filled")
        if is_number(truth):
            guess = guess.astype(np.float64)
        if not is_category(table[column]):
            error = np.sqrt(np.mean((guess - truth) ** 2)) / table[column].std(ddof=0)
            found["numbers"][str(column)] = float(error)
            continue
        if is_number(truth):
            guess = (guess > 0.5).astype(np.float64)
        found["categories"][str(column)] = float(np.mean(guess.to_numpy() != truth.to_numpy()))
    return found
