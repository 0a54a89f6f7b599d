"""`Sample`: some rows of a table of any size and kind, as they came, and what else is known of each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.containers import array_of
from isthmus.data.images import flattened
from isthmus.data.labels import is_pandas
from isthmus.data.reading import read_pieces_as_given
from isthmus.data.reading_sources import Given
from isthmus.data.schema import TableSchema
from isthmus.data.sources import memory_mapped, open_source
from isthmus.data.table import Numbers
from isthmus.tasks.anomaly.explanation import cells_of
from isthmus.tasks.anomaly.oddest import oddest, taken

CALLER = "report"
LEAST_ROWS, MOST_CELLS = 20, 8_000_000
"""Rows that are looked at, however many columns there are, and the greatest number of cells beyond these rows."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows drawn from a table at random, in the table's order.

    Attributes
    ----------
    rows : frame, array or CSR matrix
        The s rows as they came.
    places : ndarray of shape (s,)
        Their positions in the table, from 0.
    total : int
        Rows of the table.
    """

    rows: Any
    places: np.ndarray
    total: int

    @property
    def whole(self) -> bool:
        """Whether these are all rows."""
        return len(self.places) == self.total

    @property
    def sparse(self) -> bool:
        """Whether the rows are a sparse matrix."""
        return bool(scipy.sparse.issparse(self.rows))

    def part(self, index: np.ndarray) -> "Sample":
        """Return the rows at these places (m,) of the sample."""
        return Sample(taken(self.rows, index), self.places[index], self.total)

    def labels(self) -> list[str]:
        """Return what the rows are called: the index of pandas, if it is more than a count, else their positions."""
        if is_pandas(self.rows):
            import pandas

            # Of a sample, a plain range has become an index of whole numbers, which are the positions again.
            if not isinstance(self.rows.index, pandas.RangeIndex):
                return [str(label) for label in self.rows.index]
        return [str(place) for place in self.places]


def sample_of(X: Any, schema: TableSchema, most: int, extra: Sequence[str] = ()) -> Sample:
    """Draw at most so many rows of a table; a source is read once, piece by piece.

    Parameters
    ----------
    X
        As in `fit`.
    schema
        The columns of the model.
    most
        Greatest number of rows; fewer are drawn of tables of very many columns.
    extra
        Columns of a frame that the model does not know, and that are left out.

    Raises
    ------
    ValueError
        If X is no table, or does not suit the model.
    """
    most = max(min(LEAST_ROWS, most), min(most, MOST_CELLS // max(1, schema.n_numbers)))
    random = np.random.default_rng(0)
    X = memory_mapped(X)
    if open_source(X, schema.names) is not None:
        return sample_of_source(X, schema, most, random)
    if frames.is_frame(X):
        X = without(X, extra)
        total = X.shape[0]
    else:
        X = flattened(array_of(X))[0] if schema.row_shape is None else array_of(X)
        X = scipy.sparse.csr_array(X) if scipy.sparse.issparse(X) else X
        total = X.shape[0] if scipy.sparse.issparse(X) else len(X)
    places = np.arange(total) if total <= most else np.sort(random.choice(total, most, replace=False))
    return Sample(X if total <= most else taken(X, places), places, total)


def sample_of_source(X: Any, schema: TableSchema, most: int, random: np.random.Generator) -> Sample:
    """Draw rows of a source in one pass: those to which the greatest random numbers fall."""
    total = 0

    def counted(pieces: Iterator[Given]) -> Iterator[Given]:
        nonlocal total
        for piece in pieces:
            total += len(piece.table)
            yield piece

    def drawn(numbers: Numbers) -> np.ndarray:
        return random.random((numbers.shape[0],))

    found = oddest(counted(read_pieces_as_given(X, schema, caller=CALLER)), drawn, most)
    order = np.argsort(found.places)
    return Sample(taken(found.rows, order), found.places[order], total)


def without(X: Any, names: Sequence[str]) -> Any:
    """Return a frame without these columns, of which it has some or none."""
    there = [name for name in names if name in frames.names_of(X)]
    return frames.narwhals().from_native(X, eager_only=True).drop(there).to_native() if there else X


def column_of(X: Any, name: str) -> list[object]:
    """Return the cells of a column of a frame, or of a source of frames, None where missing.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    X = memory_mapped(X)
    source = open_source(X, [name])
    if source is not None and source.names is not None:
        return [cell for piece in source.frames() for cell in cells_of(piece)[0]]
    if source is None and frames.is_frame(X):
        names = frames.names_of(X)
        if name in names:
            return cells_of(X)[names.index(name)]
        known = ", ".join(map(repr, names[:10])) + ", ..." * (len(names) > 10)
        raise ValueError(f"X has no column {name!r}; it has {known}")
    raise ValueError(f"X has no named columns, and so none called {name!r}; give the values, one per row")


def values_beside(X: Any, given: object, total: int, what: str) -> list[object]:
    """Return values for the rows of a table: those of a column that is named, or those given, (n,).

    Raises
    ------
    ValueError
        If there is no such column, or there are not as many values as rows.
    """
    if isinstance(given, str):
        return column_of(X, given)
    values = np.asarray(given, dtype=object) if isinstance(given, list | tuple) else np.asarray(given)
    if values.ndim != 1 or len(values) != total:
        raise ValueError(
            f"{what} must be the name of a column of X, or one value for each of its {total} rows; got values of the "
            f"shape {values.shape}"
        )
    return list(values.tolist())
