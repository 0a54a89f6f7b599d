"""`Explanation`: the contribution of each column to a row's score, and the value that was expected of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.objects import kind_of

if TYPE_CHECKING:
    import pandas
    import polars

DEPTH = 5
"""Greatest number of columns per row that are replaced one after the other."""


@dataclass(frozen=True)
class Explanation:
    """Why rows are odd: contributions of columns, and expected values.

    Attributes
    ----------
    scores : ndarray of shape (n,)
        Surprisals; higher is odder.
    contributions : ndarray of shape (n, columns)
        They add up to the scores.
    seen, expected : array or frame of shape (n, columns)
        The rows, and the value that the model expects in each column given the row's other columns, in the data's
        units.
    names : list
        The names of the columns.
    row_shape : tuple of int or None
        Shape of the images that `fit` was given.

    Examples
    --------
    >>> seen, expected = np.array([[1.0, 9.0]]), np.array([[1.0, 2.0]])
    >>> explanation = Explanation(np.array([3.0]), np.array([[0.5, 2.5]]), seen, expected, ["age", "pay"])
    >>> print(explanation)
    row 0: score 3.00: pay 2.50 (seen 9, expected 2), age 0.50 (seen 1, expected 1)
    """

    scores: np.ndarray
    contributions: np.ndarray
    seen: object
    expected: object
    names: list[object]
    row_shape: tuple[int, ...] | None = None

    def top(self, k: int = 3) -> np.ndarray:
        """Return the names of the k columns that contribute most to each row, (n, k), the greatest first."""
        # Filled and not converted: names that are tuples, as pandas' levels are, would become an axis of their own.
        names = np.empty(len(self.names), dtype=object)
        names[:] = self.names
        return names[self.order(k)]

    def order(self, k: int) -> np.ndarray:
        """Return the indices of the k columns that contribute most to each row, (n, k), the greatest first."""
        return np.argsort(-self.contributions, axis=1, kind="stable")[:, :k]

    def map(self, shape: Sequence[int] | None = None) -> np.ndarray:
        """Return contributions as images, (n, *shape); by default of the shape of the images that `fit` was given.

        Raises
        ------
        ValueError
            If an image of that shape has not as many pixels as there are columns, or no shape is known.
        """
        shape = self.row_shape if shape is None else shape
        if shape is None:
            raise ValueError("rows were flat in fit: give the shape of the images, such as map((28, 28))")
        if int(np.prod(shape)) != len(self.names):
            raise ValueError(
                f"a map of shape {tuple(shape)} has {int(np.prod(shape))} pixels, but there are {len(self.names)} "
                "columns; give the shape of the images"
            )
        return self.contributions.reshape(len(self.scores), *shape)

    def frame(self) -> "pandas.DataFrame | polars.DataFrame":
        """Return a frame with one line per row and column: row, column, contribution, seen, expected.

        It is a pandas frame, or a polars frame if the rows came as one.
        """
        seen, expected = cells_of(self.seen), cells_of(self.expected)
        count = len(self.names)
        columns: dict[str, object] = {
            "row": np.repeat(np.arange(len(self.scores)), count),
            "column": list(self.names) * len(self.scores),
            "contribution": self.contributions.ravel(),
            "seen": [value for row in zip(*seen, strict=True) for value in row],
            "expected": [value for row in zip(*expected, strict=True) for value in row],
        }
        return framed(columns, self.seen)

    def __str__(self) -> str:
        seen, expected = cells_of(self.seen), cells_of(self.expected)
        lines = []
        for row in range(min(5, len(self.scores))):
            parts = [
                f"{self.names[j]} {self.contributions[row, j]:.2f} (seen {shown(seen[j][row])}, expected "
                f"{shown(expected[j][row])})"
                for j in self.order(3)[row]
            ]
            lines.append(f"row {row}: score {self.scores[row]:.2f}: {', '.join(parts)}")
        more = len(self.scores) - len(lines)
        return "\n".join([*lines, *([f"and {more} more rows"] if more > 0 else [])])


def report(
    explanation: Explanation, rows: np.ndarray, pvalues: np.ndarray | None, k: int
) -> "pandas.DataFrame | polars.DataFrame":
    """Return a frame with one line per explained row: row, score, p_value, and k columns, seen and expected.

    Parameters
    ----------
    explanation
        Of n rows.
    rows
        (n,) their indices in the table they come from.
    pvalues
        (n,) their p-values, or None.
    k
        Number of columns to name.
    """
    seen, expected = cells_of(explanation.seen), cells_of(explanation.expected)
    lines: dict[str, object] = {"row": rows, "score": explanation.scores}
    if pvalues is not None:
        lines["p_value"] = pvalues
    order = explanation.order(k)
    for place in range(order.shape[1]):
        columns = order[:, place]
        lines[f"column_{place + 1}"] = [explanation.names[j] for j in columns]
        lines[f"seen_{place + 1}"] = [seen[j][row] for row, j in enumerate(columns)]
        lines[f"expected_{place + 1}"] = [expected[j][row] for row, j in enumerate(columns)]
    return framed(lines, explanation.seen)


def cells_of(table: object) -> list[list[object]]:
    """Return the values of a frame or array column by column, None where missing."""
    if frames.is_frame(table):
        return [series.to_list() for _, series in frames.columns_of(table)]
    array = np.asarray(array_of(table))
    return [column.tolist() for column in array.reshape(len(array), -1).T]


def framed(columns: dict[str, object], like: object) -> "pandas.DataFrame | polars.DataFrame":
    """Return columns as a frame: of polars if `like` is a polars frame, else of pandas."""
    if type(like).__module__.startswith("polars"):
        import polars

        return polars.DataFrame({name: of_one_kind(values) for name, values in columns.items()}, strict=False)
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "a frame of explanations needs pandas, or rows that are a polars frame: pip install pandas"
        ) from None
    return pandas.DataFrame(columns)


def of_one_kind(values: object) -> object:
    """Return values as they are if all are of one kind, else as text: polars has no columns of several kinds.

    By itself polars turns dates and booleans that stand beside numbers into numbers.
    """
    if isinstance(values, np.ndarray):
        if values.dtype != object:
            return values
        values = values.tolist()
    assert isinstance(values, list), "columns of a frame are arrays or lists"
    kinds = {kind_of(value) for value in values if value is not None}
    return values if len(kinds) < 2 else [None if value is None else shown(value) for value in values]


def shown(value: object) -> str:
    """Return a value as text, numbers to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
