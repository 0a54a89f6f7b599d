"""Rows as they came, and what a trained detector says of them: from numbers to an `Explanation` in the data's units."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.labels import stored_index
from isthmus.data.reading import read_table
from isthmus.data.reading_sources import Given
from isthmus.data.restoring import as_integers, restore
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, is_sparse
from isthmus.tasks.anomaly.checks import dense
from isthmus.tasks.anomaly.counterfactuals import Change, smallest_changes
from isthmus.tasks.anomaly.explanation import Explanation, joined
from isthmus.tasks.anomaly.trained_detector import TrainedDetector

if TYPE_CHECKING:
    import pandas


class Explaining(NamedTuple):
    """What is needed to explain rows."""

    trained: TrainedDetector
    schema: TableSchema
    threshold: float
    """Rows with a higher score are anomalies, and get a counterfactual."""
    depth: int
    """Greatest number of columns per row that are replaced one after the other."""

    def pieces(self, pieces: Iterable[Given]) -> Explanation:
        """Explain the rows of a table that is read piece by piece."""
        return joined([self.explain(given.rows, given.table.drawn(slice(None))) for given in pieces])

    def explain(self, rows: object, numbers: Numbers) -> Explanation:
        """Explain rows as they came, which are also given as numbers (n, R)."""
        found = self.trained.explainer.explain(numbers, self.depth)
        rows = in_schema_order(rows, self.schema)
        expected = as_typed(restore(found.expected, self.schema, like=rows), rows)
        considered = self.trained.explainer.columns.considered(found.contributions.shape[1])
        explanation = Explanation(
            found.scores,
            found.contributions,
            scipy.sparse.csr_array(rows).toarray() if scipy.sparse.issparse(rows) else rows,
            expected,
            self.schema.labels,
            self.schema.row_shape,
            labels=labels_of_rows(rows),
            considered=considered,
        )
        return explanation.with_counterfactuals(self.changes(explanation, numbers), self.threshold)

    def changes(self, explanation: Explanation, numbers: Numbers) -> list[Change | None]:
        """Return, for each row that is an anomaly, what would make it normal; None for others.

        What is tried is the expected values as the table holds them, read again.
        """
        odd = np.flatnonzero(explanation.scores > self.threshold)
        found: list[Change | None] = [None] * len(explanation.scores)
        if not len(odd):
            return found
        own = dense(numbers[odd])
        expected = dense(read_table(explanation.expected, self.schema, caller="AnomalyDetector").drawn(odd))
        column = column_of_number(self.schema)

        def score_with(rows: np.ndarray, replaced: np.ndarray) -> np.ndarray:
            every = np.zeros((len(rows), column.max() + 1), dtype=bool)
            every[:, : replaced.shape[1]] = replaced
            tried = np.where(every[:, column], expected[rows], own[rows])
            return self.trained.score(scipy.sparse.csr_array(tried) if is_sparse(numbers) else tried)

        order = explanation.order(explanation.contributions.shape[1])[odd]
        for row, change in zip(odd, smallest_changes(order, score_with, self.threshold), strict=True):
            found[row] = change
        return found


def column_of_number(schema: TableSchema) -> np.ndarray:
    """Return which column each number of a row belongs to, (R,)."""
    sizes = [1] * schema.n_features if schema.columns is None else [column.numbers for column in schema.columns]
    return np.repeat(np.arange(schema.n_features), sizes)


def in_schema_order(rows: object, schema: TableSchema) -> object:
    """Return a frame with its columns in the order of `fit`; anything else as it is."""
    return frames.in_order(rows, list(schema.names)) if schema.names is not None and frames.is_frame(rows) else rows


def as_typed(expected: object, rows: object) -> object:
    """Return expected values, if they are an array, in the number type of the array of the rows that they belong to."""
    given = None if frames.is_frame(rows) or scipy.sparse.issparse(rows) else array_of(rows)
    if not isinstance(expected, np.ndarray) or expected.dtype.kind != "f" or not isinstance(given, np.ndarray):
        return expected
    if given.dtype.kind in "iu":
        return as_integers(expected, given.dtype) if np.isfinite(expected).all() else expected
    return expected.astype(given.dtype) if given.dtype.kind == "f" else expected


def labels_of_rows(rows: object) -> "pandas.Index | None":
    """Return the labels of rows, if they are a frame with an index of pandas; else None."""
    return stored_index(rows) if frames.is_frame(rows) else None
