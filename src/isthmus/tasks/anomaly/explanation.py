"""`Explanation`: what each column has in a row's score, and what would have been expected of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.data import frames

DEPTH = 5
"""Columns at most that are mended one after the other."""
CALL = 4096
"""Rows at most that are scored in one call."""
LEAST_FALL = 1e-9
"""A replacement that lowers the score by no more lowers it not at all."""

Score = Callable[[np.ndarray], np.ndarray]
"""From rows (m, R) to scores (m,), higher for anomalies, each row by itself."""
Guess = Callable[[np.ndarray], np.ndarray]
"""From rows (m, R) to what is expected of each value given the row's others, (m, R)."""


@dataclass(frozen=True)
class Explanation:
    """Why rows are as odd as they are: contributions of columns, and values that were to be expected.

    Attributes
    ----------
    scores : ndarray of shape (n,)
        Higher for anomalies.
    contributions : ndarray of shape (n, columns)
        Add up to the scores.
    seen, expected : array or frame of shape (n, columns)
        The rows, and what the model expects of each value given the row's other columns, in the data's own units.
    names : list
        Of the columns.
    """

    scores: np.ndarray
    contributions: np.ndarray
    seen: Any
    expected: Any
    names: list[Any]

    def top(self, k: int = 3) -> np.ndarray:
        """Return the names of the k columns that contribute most to each row, (n, k), the greatest first."""
        # Filled, not converted: names that are tuples, of pandas' levels, would become an axis of their own.
        names = np.empty(len(self.names), dtype=object)
        names[:] = self.names
        return names[self._order(k)]

    def _order(self, k: int) -> np.ndarray:
        return np.argsort(-self.contributions, axis=1, kind="stable")[:, :k]

    def map(self, shape: Sequence[int]) -> np.ndarray:
        """Return contributions as images of that shape, (n, *shape).

        Raises
        ------
        ValueError
            If so many pixels are not as many as there are columns.
        """
        if int(np.prod(shape)) != len(self.names):
            raise ValueError(f"a map of shape {tuple(shape)} has {int(np.prod(shape))} pixels, not {len(self.names)}")
        return self.contributions.reshape(len(self.scores), *shape)

    def frame(self) -> Any:
        """Return a frame with a line for every row and column: row, column, contribution, seen, expected.

        Of pandas; of polars where the rows came as a polars frame.
        """
        seen, expected = cells_of(self.seen), cells_of(self.expected)
        count = len(self.names)
        found = {
            "row": np.repeat(np.arange(len(self.scores)), count),
            "column": list(self.names) * len(self.scores),
            "contribution": self.contributions.ravel(),
            "seen": [value for row in zip(*seen, strict=True) for value in row],
            "expected": [value for row in zip(*expected, strict=True) for value in row],
        }
        return framed(found, self.seen)

    def __str__(self) -> str:
        seen, expected = cells_of(self.seen), cells_of(self.expected)
        lines = []
        for row in range(min(5, len(self.scores))):
            parts = [
                f"{self.names[j]} {self.contributions[row, j]:.2f} (seen {shown(seen[j][row])}, expected "
                f"{shown(expected[j][row])})"
                for j in self._order(3)[row]
            ]
            lines.append(f"row {row}: score {self.scores[row]:.2f}: {', '.join(parts)}")
        more = len(self.scores) - len(lines)
        return "\n".join([*lines, *([f"and {more} more rows"] if more > 0 else [])])


def report(explanation: Explanation, rows: np.ndarray, p: np.ndarray | None, k: int) -> Any:
    """Return a frame with a line for every explained row: row, score, p_value, and k columns, seen and expected.

    Parameters
    ----------
    explanation
        Of n rows.
    rows
        (n,) their places in the table they come from.
    p
        (n,) their p-values, or None.
    k
        Columns to name.
    """
    seen, expected = cells_of(explanation.seen), cells_of(explanation.expected)
    found: dict[str, Any] = {"row": rows, "score": explanation.scores}
    if p is not None:
        found["p_value"] = p
    order = explanation._order(k)
    for place in range(order.shape[1]):
        columns = order[:, place]
        found[f"column_{place + 1}"] = [explanation.names[j] for j in columns]
        found[f"seen_{place + 1}"] = [seen[j][row] for row, j in enumerate(columns)]
        found[f"expected_{place + 1}"] = [expected[j][row] for row, j in enumerate(columns)]
    return framed(found, explanation.seen)


def cells_of(table: Any) -> list[list[Any]]:
    """Return the values of a frame or array, column by column, None where missing."""
    if frames.is_frame(table):
        return [series.to_list() for _, series in frames.columns_of(table)]
    return [column.tolist() for column in np.asarray(table).T]


def framed(columns: dict[str, Any], like: Any) -> Any:
    """Return columns as a frame: of polars where the table it is about is one, else of pandas."""
    if type(like).__module__.startswith("polars"):
        import polars

        return polars.DataFrame({name: of_one_kind(values) for name, values in columns.items()}, strict=False)
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "a frame of reasons needs pandas, or rows that are a polars frame: pip install pandas"
        ) from None
    return pandas.DataFrame(columns)


def of_one_kind(values: Any) -> Any:
    """Return values as they are if all are numbers, or all of another kind, else as text: polars has no mixed columns.

    Left to itself it makes numbers of dates and booleans that stand beside numbers.
    """
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values
    kinds = {frames.kind_of(value) for value in values if value is not None}
    return values if len(kinds) < 2 else [None if value is None else shown(value) for value in values]


def shown(value: Any) -> str:
    """Return a value as a line of text has room for it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def replaced(
    rows: np.ndarray, score: Score, guess: Guess, grid: Sequence[np.ndarray], depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return contributions and expected values, (n, R) each, by replacing values one after the other.

    Of all columns the one is taken whose replacement by its guess lowers the score most; among the guess and the values
    of its grid the best one is put in its place; and so on with the row that is left, until nothing lowers the score or
    `depth` columns are replaced. A column's contribution is the fall of the score that its turn brought; for a column
    that had none, the fall that its own guess would bring now. What is left of the score is spread over all columns
    alike, so that contributions add up to the score. (Replacement by conditional expectation, one column at a time:
    leaving covariates out in sequence, so that the second wrong value is judged beside the mended first one.)

    Parameters
    ----------
    rows
        (n, R), NaN where missing.
    score, guess
        The model.
    grid
        Values to try, for each of R columns.
    depth
        At least 1.
    """
    now, left = rows.copy(), score(rows)
    start = left.copy()
    falls = np.zeros(rows.shape)
    done = np.zeros(rows.shape, dtype=bool)
    for _ in range(min(depth, rows.shape[1])):
        guesses = guess(now)
        after = np.where(done, np.inf, each_replaced(now, guesses, score))
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
    could = np.where(done, 0.0, left[:, None] - each_replaced(now, guesses, score)).clip(0)
    # No more than there is to explain, where several columns could each bring the same fall.
    total = could.sum(1, keepdims=True)
    room = np.maximum(left[:, None], 0)
    could *= np.minimum(1.0, room / np.maximum(total, 1e-300))
    falls += could
    falls += ((start - falls.sum(1)) / rows.shape[1])[:, None]
    return falls, np.where(done, now, guesses)


def each_replaced(rows: np.ndarray, guesses: np.ndarray, score: Score) -> np.ndarray:
    """Return the score of every row (n, R) with each of its values by itself replaced by the guess, (n, R)."""
    count, width = rows.shape
    found = np.empty((count, width))
    step = max(1, CALL // width)
    places = np.arange(width)
    for start in range(0, count, step):
        block = rows[start : start + step]
        tried = np.repeat(block[:, None], width, axis=1)
        tried[:, places, places] = guesses[start : start + step]
        found[start : start + step] = score(tried.reshape(-1, width)).reshape(len(block), width)
    # A replacement that leaves no finite score is none; as NaN it would be the least and end its row's search.
    return np.where(np.isfinite(found), found, np.inf)


def refined(
    rows: np.ndarray,
    columns: np.ndarray,
    guesses: np.ndarray,
    after: np.ndarray,
    grid: Sequence[np.ndarray],
    score: Score,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best value for one column of each row, (n,), among its guess and its grid, and the score with it."""
    places = np.arange(len(rows))
    value, lowest = guesses[places, columns].copy(), after[places, columns].copy()
    tries = [(row, candidate) for row, column in enumerate(columns) for candidate in grid[column]]
    for start in range(0, len(tries), CALL):
        some = tries[start : start + CALL]
        of = np.array([row for row, _ in some])
        candidates = np.array([candidate for _, candidate in some])
        tried = rows[of]
        tried[np.arange(len(of)), columns[of]] = candidates
        for row, candidate, found in zip(of, candidates, score(tried), strict=True):
            if found < lowest[row]:
                value[row], lowest[row] = candidate, found
    return value, lowest


def shared(scores: np.ndarray, typical: float, errors: np.ndarray) -> np.ndarray:
    """Return contributions (n, R) by the columns' shares of a row's squared errors (n, R); they add up to the scores.

    What a score (n,) has beyond a typical one is shared out by the errors, the typical part alike over all columns.
    A missing cell, NaN, has no error.
    """
    errors = np.nan_to_num(errors, nan=0.0)
    greatest = errors.max(1, keepdims=True)
    # By the greatest first, so that no sum overflows.
    shares = np.divide(errors, greatest, out=np.ones_like(errors), where=greatest > 0)
    shares /= shares.sum(1, keepdims=True)
    return np.asarray((scores - typical)[:, None] * shares + typical / errors.shape[1])
