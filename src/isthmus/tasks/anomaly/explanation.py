"""`Explanation`: the contribution of each column to a row's score, and the value that was expected of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.joining import one_after_another
from isthmus.data.objects import kind_of
from isthmus.tasks.anomaly.counterfactuals import Counterfactual
from isthmus.tasks.anomaly.shown import shown

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
    labels : index of pandas or None
        The labels of the rows, if they came with an index of pandas.
    considered : ndarray of shape (columns,) or None
        Which columns can be a reason: all but ignored ones. None: all.
    counterfactuals : tuple of Counterfactual or None
        For each row that is an anomaly, the cells that would have to be others for it to be normal, and values that
        would do; tried, and printed as "normal if `age` were 41 instead of 150". None for rows that are normal.

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
    labels: "pandas.Index | None" = None
    considered: np.ndarray | None = None
    counterfactuals: tuple[Counterfactual | None, ...] = ()

    def normal_if(self) -> list[str]:
        """Return what would make each row normal, in words, (n,); "normal" for rows that are."""
        return ["normal" if found is None else str(found) for found in self.counterfactuals]

    def top(self, k: int = 3) -> np.ndarray:
        """Return the names of the k columns that contribute most to each row, (n, k), the greatest first.

        There are fewer if the table has fewer columns that are not ignored.
        """
        # Filled and not converted: names that are tuples, as pandas' levels are, would become an axis of their own.
        names = np.empty(len(self.names), dtype=object)
        names[:] = self.names
        return names[self.order(k)]

    def order(self, k: int) -> np.ndarray:
        """Return the indices of the k columns that contribute most to each row, (n, k), the greatest first."""
        considered = np.ones(len(self.names), dtype=bool) if self.considered is None else self.considered
        ranked = np.argsort(np.where(considered, -self.contributions, np.inf), axis=1, kind="stable")
        return ranked[:, : min(k, int(considered.sum()))]

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

        It is a pandas frame, with the rows' labels as its index, or a polars frame if the rows came as one. `row` is
        the position of the row, from 0.
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
        return framed(columns, self.seen, None if self.labels is None else self.labels.repeat(count))

    def __str__(self) -> str:
        seen, expected = cells_of(self.seen), cells_of(self.expected)
        lines = []
        for row in range(min(5, len(self.scores))):
            parts = [
                f"{self.names[j]} {self.contributions[row, j]:.2f} (seen {shown(seen[j][row])}, expected "
                f"{shown(expected[j][row])})"
                for j in self.order(3)[row]
            ]
            label = row if self.labels is None else self.labels[row]
            lines.append(f"row {label}: score {self.scores[row]:.2f}: {', '.join(parts)}")
        more = len(self.scores) - len(lines)
        return "\n".join([*lines, *([f"and {more} more rows"] if more > 0 else [])])


def joined(parts: Sequence[Explanation]) -> Explanation:
    """Return the explanations of the pieces of a table, one at least, as one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    labels = [part.labels for part in parts if part.labels is not None]
    return replace(
        first,
        scores=np.concatenate([part.scores for part in parts]),
        contributions=np.concatenate([part.contributions for part in parts]),
        seen=one_after_another([part.seen for part in parts]),
        expected=one_after_another([part.expected for part in parts]),
        labels=labels[0].append(labels[1:]) if len(labels) == len(parts) else None,
        counterfactuals=tuple(found for part in parts for found in part.counterfactuals),
    )


def cells_of(table: object) -> list[list[object]]:
    """Return the values of a frame or array column by column, None where missing."""
    if frames.is_frame(table):
        return [series.to_list() for _, series in frames.columns_of(table)]
    array = np.asarray(array_of(table))
    return [column.tolist() for column in array.reshape(len(array), -1).T]


def framed(
    columns: dict[str, object], like: object, labels: "pandas.Index | np.ndarray | None" = None
) -> "pandas.DataFrame | polars.DataFrame":
    """Return columns as a frame: of polars if `like` is a polars frame, else of pandas, with labels as its index."""
    if type(like).__module__.startswith("polars"):
        import polars

        return polars.DataFrame({name: of_one_kind(values) for name, values in columns.items()}, strict=False)
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "a frame of explanations needs pandas, or rows that are a polars frame: pip install pandas"
        ) from None
    return pandas.DataFrame(columns, index=labels)


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
