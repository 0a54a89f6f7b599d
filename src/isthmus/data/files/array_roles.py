"""Roles of the columns of arrays and sparse matrices, which have numbers or labels in place of names."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse

from isthmus.data.arrow_tables import arrow
from isthmus.data.files.places import Place
from isthmus.data.files.registry import Found, Wishes
from isthmus.data.files.spilling import Collected

Matrix: TypeAlias = "np.ndarray | scipy.sparse.csr_array"


class ArrayColumns:
    """Some columns of an array that is not in memory; estimators read it block by block.

    Parameters
    ----------
    rows
        (n, F), mapped into memory.
    places
        Which columns.
    """

    def __init__(self, rows: np.ndarray, places: Sequence[int]) -> None:
        self.rows = rows
        self.places = list(places)
        self.shape = (rows.shape[0], len(self.places))
        self.ndim = 2
        self.dtype = rows.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: Any) -> np.ndarray:
        return np.asarray(self.rows[which])[..., self.places]


def with_roles(rows: Matrix, labels: Sequence[str] | None, place: Place, wishes: Wishes) -> Found:
    """Return an array or a sparse matrix with its columns by their roles.

    Parameters
    ----------
    rows
        (n, F), or images.
    labels
        Of the columns; None: they are called column_1, ....
    place
        Where it lies.
    wishes
        What the user says.
    """
    if len(rows.shape) < 2:
        rows = rows.reshape(-1, 1)
    if not rows.shape[0] or not rows.shape[1]:
        raise ValueError(f"{place.shown} holds {rows.shape[0]} rows and {rows.shape[1]} columns; one of each is needed")
    if wishes.roles.none:
        return Found(Collected(rows, None, None, rows.shape[0]), columns=None if labels is None else tuple(labels))
    if len(rows.shape) > 2:
        raise ValueError(f"{place.shown} holds images, which have no columns; leave out columns, ids, exclude, target")
    names = [f"column_{number}" for number in range(1, rows.shape[1] + 1)] if labels is None else list(labels)
    split = wishes.roles.split(names, place.shown)
    places = {name: number for number, name in enumerate(names)}
    ids = arrow().table({name: column_of(rows, places[name]) for name in split.ids}) if split.ids else None
    target = None if split.target is None else column_of(rows, places[split.target])
    data = selected(rows, [places[name] for name in split.data], wishes.limit)
    return Found(Collected(data, ids, target, rows.shape[0], isinstance(data, ArrayColumns)), columns=split.data)


def selected(rows: Any, places: Sequence[int], limit: int) -> Any:
    """Return some columns, in memory if they are small enough."""
    if isinstance(rows, np.memmap) and rows.nbytes > limit:
        return ArrayColumns(rows, places)
    return rows[:, places]


def column_of(rows: Any, place: int) -> np.ndarray:
    """Return a column as an array (n,)."""
    column = rows[:, [place]]
    return np.ascontiguousarray(column.toarray()[:, 0] if scipy.sparse.issparse(column) else column[:, 0])
