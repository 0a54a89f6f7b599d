"""What would make odd rows normal: several proposals, each tried as the table holds it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.reading import read_table
from isthmus.data.restoring import as_integers, restore
from isthmus.data.schema import TableSchema
from isthmus.tasks.anomaly.checks import dense
from isthmus.tasks.anomaly.counterfactuals import Change, ScoreWith, smallest_changes
from isthmus.tasks.anomaly.oddest import taken
from isthmus.tasks.anomaly.trained_detector import TrainedDetector

TOGETHER = (2, 3, 4, 6, 8)
"""How many columns are replaced by what is expected of them together."""

Proposal: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From the places of rows (m,) to numbers (m, R), of which some are to stand in the place of those of the rows."""


class OddTable(NamedTuple):
    """Rows that are anomalies, the oddest of a table or any others."""

    rows: object
    """As they came."""
    numbers: np.ndarray
    """(n, R) the rows as numbers."""
    expected: np.ndarray
    """(n, R) what was expected of each column."""
    order: np.ndarray
    """(n, m) the columns that may be changed, those that matter most first."""
    sparse: bool
    """Whether the rows are sparse."""


def mended(
    odd: OddTable, trained: TrainedDetector, schema: TableSchema, threshold: float
) -> tuple[list[Change], np.ndarray]:
    """Return which columns of each row to change, and numbers (n, R) with the values to put there.

    First what was expected of the columns is tried, then what is expected of the first two to eight of them
    together, then what is typical of all. If none is enough the change that lowers the score most is returned.
    """
    best = [Change(own, np.inf) for own in odd.order]
    values = odd.numbers.copy()
    for proposed, width in proposals(odd, trained):
        # Also where more columns than these were needed so far.
        left = np.flatnonzero([change.score > threshold or len(change.columns) > width for change in best])
        if not len(left):
            continue
        tried = as_read(proposed(left), taken(odd.rows, left), schema)
        score_with = scoring(odd, left, tried, trained, schema)
        changes = smallest_changes(odd.order[left, :width], score_with, threshold)
        for row, change, own in zip(left, changes, tried, strict=True):
            if change.score <= threshold or change.score < best[row].score:
                best[row], values[row] = change, own
    return best, values


def proposals(odd: OddTable, trained: TrainedDetector) -> Iterator[tuple[Proposal, int]]:
    """Yield what may stand in the place of a row's numbers, and in how many of its columns."""
    width, explainer = odd.order.shape[1], trained.explainer

    def together(count: int, left: np.ndarray) -> np.ndarray:
        return explainer.together(odd.numbers[left], odd.order[left, :count])

    yield lambda left: odd.expected[left], width
    if explainer.linear is not None:
        for count in [count for count in TOGETHER if count <= width]:
            yield partial(together, count), count
    yield lambda left: dense(explainer.typical_rows(odd.numbers[left])), width


def scoring(
    odd: OddTable, left: np.ndarray, tried: np.ndarray, trained: TrainedDetector, schema: TableSchema
) -> ScoreWith:
    """Return what scores the rows at these places with some of their columns replaced by what is tried, (m, R)."""
    column = column_of_number(schema)

    def score(rows: np.ndarray, replaced: np.ndarray) -> np.ndarray:
        every = np.zeros((len(rows), schema.n_features), dtype=bool)
        every[:, : replaced.shape[1]] = replaced
        mixed = np.where(every[:, column], tried[rows], odd.numbers[left[rows]])
        return trained.score(scipy.sparse.csr_array(mixed) if odd.sparse else mixed)

    return score


def as_read(numbers: np.ndarray, rows: object, schema: TableSchema) -> np.ndarray:
    """Return numbers (n, R) as they are read again from a table like the rows: rounded, and of its types."""
    table = as_typed(restore(numbers, schema, like=rows), rows)
    return dense(read_table(table, schema, caller="AnomalyDetector").drawn(slice(None)))


def as_typed(table: object, rows: object) -> object:
    """Return a table, if it is an array, in the number type of the array of the rows that it belongs to."""
    given = None if frames.is_frame(rows) or scipy.sparse.issparse(rows) else array_of(rows)
    if not isinstance(table, np.ndarray) or table.dtype.kind != "f" or not isinstance(given, np.ndarray):
        return table
    if given.dtype.kind in "iu":
        return as_integers(table, given.dtype) if np.isfinite(table).all() else table
    return table.astype(given.dtype) if given.dtype.kind == "f" else table


def column_of_number(schema: TableSchema) -> np.ndarray:
    """Return which column each number of a row belongs to, (R,)."""
    sizes = [1] * schema.n_features if schema.columns is None else [column.numbers for column in schema.columns]
    return np.repeat(np.arange(schema.n_features), sizes)
