"""`OddRows`: the oddest rows of a table, why they are odd, and a sample of all rows to see them beside."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isthmus.data.columns import Column
from isthmus.data.reading import read_table
from isthmus.data.reading_sources import Given
from isthmus.data.table import Numbers, is_sparse
from isthmus.tasks.anomaly.checks import dense
from isthmus.tasks.anomaly.explaining import Explaining
from isthmus.tasks.anomaly.explanation import Explanation
from isthmus.tasks.anomaly.oddest import oddest

MOST_SAMPLED, MOST_CELLS = 2000, 2_000_000
"""Greatest number of rows, and of cells, of the sample."""


@dataclass(frozen=True, eq=False)
class OddRows:
    """The m oddest rows of a table of n rows, the oddest first.

    Attributes
    ----------
    explanation : Explanation
        Of the m rows.
    places : ndarray of shape (m,)
        Their positions in the table, from 0.
    pvalues : ndarray of shape (m,) or None
        None if they would take more training.
    rows, anomalies : int
        Number of all rows, and of those that score above the threshold.
    threshold : float
        Rows with a higher score are anomalies.
    values, expected : ndarray of shape (m, columns)
        One number per cell of the m rows, and of what was expected: codes of categories, days of times, NaN if missing.
    sample : ndarray of shape (s, columns)
        Of rows evenly spread over the table, at most 2,000.
    sample_scores : ndarray of shape (s,)
        Their scores.
    columns : tuple of Column
        What each column was taken for; empty for numbers alone.
    """

    explanation: Explanation
    places: np.ndarray
    pvalues: np.ndarray | None
    rows: int
    anomalies: int
    threshold: float
    values: np.ndarray
    expected: np.ndarray
    sample: np.ndarray
    sample_scores: np.ndarray
    columns: tuple[Column, ...]


class EvenSample:
    """Every k-th row of a table that is read piece by piece, with k doubled whenever there are too many.

    Parameters
    ----------
    most
        Greatest number of rows.

    Examples
    --------
    >>> sample = EvenSample(3)
    >>> for piece in np.arange(10.0).reshape(5, 2, 1):
    ...     sample.look(piece, piece[:, 0])
    >>> sample.rows.ravel().tolist()
    [0.0, 4.0, 8.0]
    """

    def __init__(self, most: int) -> None:
        self.most, self.stride, self.seen = most, 1, 0
        self.rows, self.scores = np.empty((0, 0)), np.empty(0)

    def look(self, numbers: Numbers, scores: np.ndarray) -> None:
        """Add rows of numbers (b, R) and their scores (b,)."""
        chosen = np.arange(-self.seen % self.stride, len(scores), self.stride)
        new = dense(numbers[chosen]) if len(chosen) else np.empty((0, numbers.shape[1]))
        self.rows = np.concatenate([self.rows, new]) if self.seen else new
        self.scores = np.concatenate([self.scores, scores[chosen]])
        self.seen += len(scores)
        while len(self.rows) > self.most:
            self.rows, self.scores, self.stride = self.rows[::2].copy(), self.scores[::2].copy(), 2 * self.stride


def odd_rows(pieces: Iterator[Given], explaining: Explaining, n: int) -> OddRows:
    """Return the n oddest rows of a table that is read once, piece by piece.

    Parameters
    ----------
    pieces
        The table.
    explaining
        What scores and explains rows.
    n
        Number of rows, at least 1.
    """
    trained, schema = explaining.trained, explaining.schema
    sample = EvenSample(max(2, min(MOST_SAMPLED, MOST_CELLS // max(1, schema.n_numbers))))
    above = 0

    def score(numbers: Numbers) -> np.ndarray:
        nonlocal above
        scores = trained.score(numbers)
        sample.look(numbers, scores)
        above += int((scores > explaining.threshold).sum())
        return scores

    found = oddest(pieces, score, n)
    explanation = explaining.explain(found.rows, found.numbers)
    expected = read_table(explanation.expected, schema, caller="AnomalyDetector").drawn(slice(None))
    ready = trained.calibration.ready
    return OddRows(
        explanation,
        found.places,
        trained.calibration.pvalues(found.numbers) if ready else None,
        sample.seen,
        above,
        explaining.threshold,
        trained.values(dense(found.numbers) if is_sparse(found.numbers) else found.numbers),
        trained.values(dense(expected)),
        trained.values(sample.rows),
        sample.scores,
        tuple(schema.columns or ()),
    )
