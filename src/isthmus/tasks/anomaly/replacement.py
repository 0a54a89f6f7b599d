"""Contributions of columns to a score, by replacing values one after the other, or by shares of errors."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

CALL = 4096
"""Greatest number of rows that are scored in one call."""
LEAST_FALL = 1e-9
"""Fall of the score up to which a replacement counts as no improvement."""

Score: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From rows (m, R) to scores (m,), higher is odder; no row affects another."""
Guess: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From rows (m, R) to the expected value of each column given the row's others, (m, R)."""


def replaced(
    rows: np.ndarray,
    score: Score,
    guess: Guess,
    grid: Sequence[np.ndarray],
    depth: int,
    considered: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return contributions and expected values, (n, R) each, by replacing values one after the other.

    First the column is replaced whose guess lowers the score most. The best of the guess and the values of the column's
    grid takes its place, and the same is done with the resulting row, until nothing lowers the score or `depth` columns
    are replaced. The contribution of a replaced column is the fall of the score that its replacement brought; that of
    another column is the fall that its own guess would bring now. What is left of the score is spread evenly over the
    columns, so that contributions add up to the score. (This is replacement by the conditional expectation, one column
    at a time, as in sequential feature removal: the second wrong value is assessed beside the corrected first one.)

    Parameters
    ----------
    rows
        (n, R), NaN where missing.
    score, guess
        The model.
    grid
        Values to try, for each of R columns.
    depth
        Greatest number of columns to replace per row, at least 1.
    considered
        (R,) bool: the columns that may be a reason; the contribution of others is 0. None: all.
    """
    columns = np.arange(rows.shape[1]) if considered is None else np.flatnonzero(considered)
    now, left = rows.copy(), score(rows)
    start = left.copy()
    falls = np.zeros(rows.shape)
    done = np.zeros(rows.shape, dtype=bool)
    for _ in range(min(depth, len(columns))):
        guesses = guess(now)
        after = np.where(done, np.inf, each_replaced(now, guesses, score, columns))
        best = after.argmin(1)
        value, lowest = refined(now, best, guesses, after, grid, score)
        better = lowest < left - LEAST_FALL
        if not better.any():
            break
        places = np.flatnonzero(better)
        now[places, best[places]] = value[places]
        falls[places, best[places]] = (left - lowest)[places]
        done[places, best[places]] = True
        left = np.where(better, lowest, left)
    guesses = guess(now)
    possible = np.where(done, 0.0, left[:, None] - each_replaced(now, guesses, score, columns)).clip(0)
    # Several columns may each bring the same fall; together they cannot explain more than what is left.
    total = possible.sum(1, keepdims=True)
    remainder = np.maximum(left[:, None], 0)
    possible *= np.minimum(1.0, remainder / np.maximum(total, 1e-300))
    falls += possible
    falls[:, columns] += ((start - falls.sum(1)) / max(1, len(columns)))[:, None]
    return falls, np.where(done, now, guesses)


def each_replaced(rows: np.ndarray, guesses: np.ndarray, score: Score, columns: np.ndarray) -> np.ndarray:
    """Return the score of each row (n, R) with the value of each column alone replaced by its guess, (n, R).

    It is infinite for other columns than those at the places `columns`, (m,).
    """
    count, width = rows.shape
    scores = np.full((count, width), np.inf)
    step = max(1, CALL // max(1, len(columns)))
    for start in range(0, count if len(columns) else 0, step):
        block = rows[start : start + step]
        tried = np.repeat(block[:, None], len(columns), axis=1)
        tried[:, np.arange(len(columns)), columns] = guesses[start : start + step, columns]
        scores[start : start + step, columns] = score(tried.reshape(-1, width)).reshape(len(block), len(columns))
    # A replacement without a finite score does not count; as NaN it would be the minimum and end its row's search.
    return np.where(np.isfinite(scores), scores, np.inf)


def refined(
    rows: np.ndarray,
    columns: np.ndarray,
    guesses: np.ndarray,
    after: np.ndarray,
    grid: Sequence[np.ndarray],
    score: Score,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best value for one column of each row, (n,), from its guess and its grid, and the score with it, (n,).

    Parameters
    ----------
    rows
        (n, R)
    columns
        (n,) the column to replace in each row.
    guesses, after
        (n, R) guesses, and the scores with each of them in its place.
    grid
        Values to try, for each of R columns.
    score
        The model.
    """
    places = np.arange(len(rows))
    value, lowest = guesses[places, columns].copy(), after[places, columns].copy()
    tries = [(row, candidate) for row, column in enumerate(columns) for candidate in grid[column]]
    for start in range(0, len(tries), CALL):
        batch = tries[start : start + CALL]
        of = np.array([row for row, _ in batch])
        candidates = np.array([candidate for _, candidate in batch])
        tried = rows[of]
        tried[np.arange(len(of)), columns[of]] = candidates
        for row, candidate, found in zip(of, candidates, score(tried), strict=True):
            if found < lowest[row]:
                value[row], lowest[row] = candidate, found
    return value, lowest


def shared(scores: np.ndarray, typical: float, errors: np.ndarray, considered: np.ndarray | None = None) -> np.ndarray:
    """Return contributions (n, R) by each column's share of a row's errors (n, R); they add up to the scores (n,).

    The part of a score beyond a typical one is shared out by the errors, the typical part evenly over the columns. A
    missing cell, NaN, has no error, and neither has a column that may be no reason (`considered`, (R,) bool).
    """
    every = np.ones(errors.shape[1], dtype=bool) if considered is None else considered
    errors = np.where(every, np.nan_to_num(errors, nan=0.0), 0.0)
    greatest = errors.max(1, keepdims=True)
    # Divided by the greatest first, so that no sum overflows.
    shares = np.divide(errors, greatest, out=np.tile(every.astype(float), (len(errors), 1)), where=greatest > 0)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    return np.asarray((scores - typical)[:, None] * shares + typical * every / max(1, every.sum()))
