"""A table of pairs as a sparse matrix: users in rows, items in columns, ratings in cells."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from isthmus.data.arrow_tables import arrow
from isthmus.data.files.columnar import ParquetColumns, ParquetColumnsSource
from isthmus.data.files.registry import Found
from isthmus.data.files.roles import Roles, as_names
from isthmus.data.files.spilling import Collected, pieces_of


class Numbered:
    """The values of a column, numbered in the order in which they come."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: dict[Any, int] = {}
        self.codes: list[np.ndarray] = []

    def add(self, column: Any) -> None:
        """Give the values of a piece of the column their numbers."""
        if column.null_count:
            raise ValueError(
                f"column {self.name!r} has {column.null_count:,} empty cells, and every row of a table of pairs needs "
                "one; remove these rows"
            )
        coded = column.combine_chunks().dictionary_encode()
        if isinstance(coded, arrow().ChunkedArray):
            coded = coded.combine_chunks()
        own = [self.known.setdefault(value, len(self.known)) for value in coded.dictionary.to_pylist()]
        self.codes.append(np.array(own, dtype=np.int64)[coded.indices.to_numpy()])

    def sorted(self) -> tuple[list[Any], np.ndarray]:
        """Return the values in their order, and the place of each row's value among them."""
        values = sorted(self.known)
        places = np.empty(len(values), dtype=np.int64)
        places[[self.known[value] for value in values]] = np.arange(len(values))
        return values, places[np.concatenate(self.codes)]


class Pivot(NamedTuple):
    """The columns of a table of pairs."""

    rows: str
    columns: str
    values: str | None
    """Of the cells; None counts how often each pair occurs."""

    @property
    def roles(self) -> Roles:
        """Which columns are read."""
        return Roles(columns=tuple(name for name in self if name is not None))


def pivot_of(given: str | Iterable[str]) -> Pivot:
    """Return what the user says of a table of pairs.

    Raises
    ------
    ValueError
        Unless two or three columns are named, each once.

    Examples
    --------
    >>> pivot_of("user,item,rating")
    Pivot(rows='user', columns='item', values='rating')
    """
    names = as_names(given)
    if len(names) not in (2, 3) or len(set(names)) < len(names):
        raise ValueError(
            "pivot needs two or three different columns: that of the rows, that of the columns and, if cells have "
            f"values, that of the values, such as 'user_id,item_id,rating'; got {','.join(names)!r}"
        )
    return Pivot(names[0], names[1], names[2] if len(names) == 3 else None)


def pivoted(found: Found) -> Found:
    """Return a table of pairs, its columns in the order of a `Pivot`, as a sparse matrix, (rows, columns) of float64.

    The values of a pair that occurs several times are added. Rows and columns are in the order of their labels.
    """
    data = found.collected.data
    names = list(data.columns if isinstance(data, ParquetColumns) else names_of_pieces(data))
    rows, columns = Numbered(names[0]), Numbered(names[1])
    cells: list[np.ndarray] = []
    for piece in ParquetColumnsSource(data).frames() if isinstance(data, ParquetColumns) else pieces_of(data):
        rows.add(piece.column(0))
        columns.add(piece.column(1))
        cells.append(values_of(piece, names[2]) if len(names) == 3 else np.ones(piece.num_rows))
    row_labels, row_places = rows.sorted()
    column_labels, column_places = columns.sorted()
    values = np.concatenate(cells)
    shape = len(row_labels), len(column_labels)
    matrix = scipy.sparse.csr_array((values, (row_places, column_places)), shape=shape)
    matrix.sum_duplicates()
    told = [f"pairs of {shape[0]:,} {names[0]} and {shape[1]:,} {names[1]}: {matrix.nnz / np.prod(shape):.2%} of cells"]
    if matrix.nnz < len(values):
        added = "counted" if len(names) == 2 else "added"
        told.append(f"{len(values) - matrix.nnz:,} rows repeat a pair; they were {added}")
    zeros = int((values == 0).sum())
    if zeros:
        told.append(f"{zeros:,} rows have the value 0, which is as if the pair did not occur")
    ids = arrow().table({names[0]: row_labels})
    return Found(Collected(matrix, ids, None, shape[0]), found.found + told, columns=tuple(map(str, column_labels)))


def names_of_pieces(data: Any) -> list[str]:
    """Return the names of the columns of a table of Arrow's, in memory or in a file."""
    found: list[str] = next(pieces_of(data)).column_names
    return found


def values_of(piece: Any, name: str) -> np.ndarray:
    """Return the values of the cells, (n,).

    Raises
    ------
    ValueError
        If one is missing or no number.
    """
    column = piece.column(name)
    types = arrow().types
    kind = column.type
    if column.null_count or not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        what = f"{column.null_count:,} empty cells" if column.null_count else f"values of type {kind}"
        raise ValueError(
            f"column {name!r} has {what}, and the cells of a matrix are numbers; mend or remove these rows"
        )
    found: np.ndarray = column.to_numpy().astype(np.float64)
    return found
