"""Rows as they came, and what a trained detector says of them: from numbers to an `Explanation` in the data's units."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.labels import stored_index
from isthmus.data.reading_sources import Given
from isthmus.data.restoring import restore
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, is_sparse
from isthmus.tasks.anomaly.checks import dense
from isthmus.tasks.anomaly.counterfactuals import Counterfactual
from isthmus.tasks.anomaly.explanation import Explanation, cells_of, joined
from isthmus.tasks.anomaly.mends import OddTable, as_typed, mended
from isthmus.tasks.anomaly.oddest import taken
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
        explanation = Explanation(
            found.scores,
            found.contributions,
            scipy.sparse.csr_array(rows).toarray() if scipy.sparse.issparse(rows) else rows,
            as_typed(restore(found.expected, self.schema, like=rows), rows),
            self.schema.labels,
            self.schema.row_shape,
            labels=labels_of_rows(rows),
            considered=self.trained.explainer.columns.considered(found.contributions.shape[1]),
        )
        return replace(explanation, counterfactuals=self.counterfactuals(explanation, rows, numbers, found.expected))

    def counterfactuals(
        self, explanation: Explanation, rows: object, numbers: Numbers, expected: np.ndarray
    ) -> tuple[Counterfactual | None, ...]:
        """Return what would make each row that is an anomaly normal, tried; None for other rows."""
        found: list[Counterfactual | None] = [None] * len(explanation.scores)
        odd = np.flatnonzero(explanation.scores > self.threshold)
        if not len(odd):
            return tuple(found)
        order = explanation.order(len(explanation.names))[odd]
        given = taken(rows, odd)
        table = OddTable(given, dense(numbers[odd]), dense(expected[odd]), order, is_sparse(numbers))
        changes, values = mended(table, self.trained, self.schema, self.threshold)
        seen = cells_of(taken(explanation.seen, odd))
        others = cells_of(as_typed(restore(values, self.schema, like=given), given))
        for place, (row, change) in enumerate(zip(odd, changes, strict=True)):
            found[row] = Counterfactual(
                tuple(explanation.names[j] for j in change.columns),
                tuple(seen[j][place] for j in change.columns),
                tuple(others[j][place] for j in change.columns),
                change.score,
                change.score <= self.threshold,
            )
        return tuple(found)


def in_schema_order(rows: object, schema: TableSchema) -> object:
    """Return a frame with its columns in the order of `fit`; anything else as it is."""
    return frames.in_order(rows, list(schema.names)) if schema.names is not None and frames.is_frame(rows) else rows


def labels_of_rows(rows: object) -> "pandas.Index | None":
    """Return the labels of rows, if they are a frame with an index of pandas; else None."""
    return stored_index(rows) if frames.is_frame(rows) else None
