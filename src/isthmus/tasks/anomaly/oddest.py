"""`oddest`: the oddest rows of a table, found in one pass that keeps no others."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from sklearn.utils import _safe_indexing

from isthmus.data import frames
from isthmus.data.arrow_tables import is_table
from isthmus.data.joining import one_after_another
from isthmus.data.reading_sources import Given
from isthmus.data.table import Numbers, is_sparse


class Oddest(NamedTuple):
    """The m oddest rows of a table, the oddest first."""

    rows: object
    """The rows as they came: an array, a sparse matrix or a frame."""
    numbers: Numbers
    """(m, R) the rows as numbers."""
    places: np.ndarray
    """(m,) the position of each row in the table, from 0."""


def oddest(pieces: Iterator[Given], score: Callable[[Numbers], np.ndarray], n: int) -> Oddest:
    """Return the n rows with the highest scores; of rows that tie, those that come first.

    Parameters
    ----------
    pieces
        The table, piece by piece; no more than one piece and n rows are in memory at a time.
    score
        Returns the score of each row of numbers (b, R), (b,).
    n
        Number of rows, at least 1.
    """
    kept: list[Oddest] = []
    scores, start = np.empty(0), 0
    for given in pieces:
        numbers = given.table.drawn(slice(None))
        together = np.concatenate([scores, score(numbers)])
        best = np.sort(np.argsort(-together, kind="stable")[:n])
        new = best[best >= len(scores)] - len(scores)
        kept = remaining(kept, best[best < len(scores)])
        if len(new):
            kept.append(Oddest(taken(given.rows, new), numbers[new], start + new))
        scores, start = together[best], start + numbers.shape[0]
    order = np.argsort(-scores, kind="stable")
    return Oddest(
        taken(one_after_another([part.rows for part in kept]), order),
        stacked([part.numbers for part in kept])[order],
        np.concatenate([part.places for part in kept])[order],
    )


def remaining(kept: list[Oddest], places: np.ndarray) -> list[Oddest]:
    """Return the parts without the rows that are no longer among the oddest; `places` counts through all parts."""
    found, start = [], 0
    for part in kept:
        own = places[(places >= start) & (places < start + len(part.places))] - start
        start += len(part.places)
        if len(own) == len(part.places):
            found.append(part)
        elif len(own):
            found.append(Oddest(taken(part.rows, own), part.numbers[own], part.places[own]))
    return found


def taken(X: Any, places: np.ndarray) -> Any:
    """Return the rows of a frame, a matrix or anything that makes an array, at these places (m,), as they are."""
    if scipy.sparse.issparse(X):
        return scipy.sparse.csr_array(X)[places]
    if is_table(X):
        return X.take(places)
    if frames.is_frame(X):
        return frames.narwhals().from_native(X, eager_only=True)[places].to_native()
    return _safe_indexing(X, places)


def stacked(parts: list[Numbers]) -> Numbers:
    """Return rows of numbers one after another."""
    if len(parts) == 1:
        return parts[0]
    return scipy.sparse.csr_array(scipy.sparse.vstack(parts)) if is_sparse(parts[0]) else np.concatenate(parts)
