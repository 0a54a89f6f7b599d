"""Which rows are held out of training to validate it: drawn at random, whole groups, the last ones, or given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import ArrayLike
from torch import Generator, Tensor

from isthmus.core.checks import is_number
from isthmus.data import frames
from isthmus.data.dense import DenseTable
from isthmus.data.reading import read_table
from isthmus.data.schema import TableSchema
from isthmus.data.sparse import SparseTable
from isthmus.data.table import Table
from isthmus.data.weights import checked
from isthmus.estimators import rules

FORMS = (
    "'auto', a share of the rows in [0, 1), 'last', positions or a mask of rows of X, or other rows with the columns "
    "of X"
)
"""What `validation` may be."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The rows that validate a training.

    Parameters
    ----------
    count : int
        How many rows are held out; about, if groups stay together.
    positions : ndarray of shape (v,) or None
        Which rows they are, if that is known.
    groups : ndarray of shape (n,) or None
        Number of the group of each row; no group is on both sides.
    drawn : bool
        Whether rows are drawn at random for one decision, so that scalings may be learned from all rows and, where the
        decision is for the closed form, that too.
    apart : bool
        Whether not even the components that are codes may be learned from these rows.
    """

    count: int
    positions: np.ndarray | None = None
    groups: np.ndarray | None = None
    drawn: bool = True
    apart: bool = False

    def split(self, table: Table, looked_at: int, generator: Generator) -> tuple[Tensor, Any]:
        """Return the positions of the validation rows, and those of all others in random order."""
        if self.positions is not None:
            return others_shuffled(len(table), torch.from_numpy(self.positions), generator)
        if self.groups is not None and self.count:
            return others_shuffled(len(table), whole_groups(self.groups, self.count, generator), generator)
        return table.split(self.count, looked_at, generator)


def held_out(
    validation: object, table: Table, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
) -> HeldOut:
    """Return which rows validate a training, by their positions among the rows of positive weight.

    Parameters
    ----------
    validation
        As in `AutoEncoder`, but no rows of their own.
    table
        n rows.
    sample_weight
        (n,) weights.
    groups
        (n,) labels of groups.

    Raises
    ------
    ValueError
        If `validation` or `groups` is none of what it may be.
    """
    numbers = group_numbers(groups, len(table))
    used = np.ones(len(table), dtype=bool) if sample_weight is None else np.asarray(sample_weight) > 0
    if rules.is_auto(validation) or is_number(validation):
        if numbers is not None and table.streamed:
            raise ValueError("groups needs rows in memory, and those of X are read from a source: load them first")
        count = rules.validation_rows(validation, int(used.sum()))
        return HeldOut(count, groups=None if numbers is None else numbers[used])
    refuse_beside_groups(numbers)
    if table.streamed:
        raise ValueError(
            "of a source larger than memory, validation rows are drawn at random: validation must be 'auto' or a share "
            f"in [0, 1); got {shown(validation)}"
        )
    rows = int(used.sum())
    if isinstance(validation, str) and validation == "last":
        count = max(1, min(rows // 10, rules.MOST_VALIDATION))
        return HeldOut(count, np.arange(rows - count, rows), drawn=False, apart=True)
    positions = positions_of(validation, len(table))
    positions = (np.cumsum(used) - 1)[positions[used[positions]]]
    if not 0 < len(positions) < rows:
        raise ValueError(
            f"{len(positions)} of the {rows} rows of positive weight are validation rows: both sides need at least one"
        )
    return HeldOut(len(positions), positions, drawn=False, apart=True)


def held_out_of_stream(validation: object, rows: int) -> HeldOut:
    """Return which rows of a stream's first chunk have no part in its start: as many as are drawn, whichever else."""
    drawn = validation != "last" if isinstance(validation, str) else np.ndim(validation) == 0  # type: ignore[arg-type]
    return HeldOut(rules.validation_rows(validation if drawn else "auto", rows))


def given(positions: np.ndarray) -> HeldOut:
    """Return that the rows at these positions validate the training, in which none may be."""
    return HeldOut(len(positions), positions if len(positions) else None, drawn=False, apart=True)


def refuse_beside_groups(groups: object) -> None:
    """Raise a `ValueError` if rows that are given could tear groups apart."""
    if groups is not None:
        raise ValueError(
            "groups draws whole groups at random to validate: it goes with validation='auto' or a share, and needs no "
            "other rows"
        )


def positions_of(validation: object, rows: int) -> np.ndarray:
    """Return the positions that a mask, or an array of positions, means."""
    given = np.asarray(validation) if not isinstance(validation, str) else np.empty(())
    if given.ndim != 1 or given.dtype.kind not in "biu":
        raise ValueError(f"validation must be {FORMS}; got {shown(validation)}")
    if given.dtype.kind == "b" and len(given) != rows:
        raise ValueError(f"a mask of validation rows must have one value per row of X, {rows}; got {len(given)}")
    found = np.flatnonzero(given) if given.dtype.kind == "b" else np.unique(given.astype(np.int64))
    if len(found) < len(given) and given.dtype.kind != "b":
        raise ValueError(f"validation names {len(given) - len(found)} positions twice")
    if not len(found) or found[0] < 0 or found[-1] >= rows or len(found) == rows:
        span = f"; they go from {found[0]} to {found[-1]}" if len(found) else ""
        raise ValueError(
            f"validation must name at least 1 and at most {rows - 1} of the {rows} rows of X, by positions from 0; "
            f"got {len(found)}{span}"
        )
    return found


def has_rows(validation: object) -> bool:
    """Whether validation rows come as a table of their own."""
    if frames.is_frame(validation) or scipy.sparse.issparse(validation):
        return True
    return not isinstance(validation, str | int | float) and np.ndim(validation) > 1  # type: ignore[arg-type]


def with_rows(
    validation: object, table: Table, schema: TableSchema, sample_weight: ArrayLike | None, caller: str
) -> tuple[Table, np.ndarray | None, np.ndarray]:
    """Return a table with validation rows behind its own, the weights of all, and the positions of these rows.

    Rows of weight 0 do not count for positions.

    Raises
    ------
    ValueError
        If they do not have the columns of the table, or if this is read from a source.
    """
    try:
        own = read_table(validation, schema, caller=caller, in_use=False)
    except ValueError as error:
        raise ValueError(f"validation rows: {error}") from error
    if table.streamed or own.streamed:
        raise ValueError(
            "validation rows of their own must be in memory, and X too: of a source larger than memory, take a share"
        )
    if sample_weight is None:
        return joined(table, own), None, len(table) + np.arange(len(own))
    weight = checked(sample_weight, table)
    used = weight > 0
    typical = weight[used].mean() if used.any() else 1.0
    return joined(table, own), np.append(weight, np.full(len(own), typical)), used.sum() + np.arange(len(own))


def joined(first: Table, second: Table) -> Table:
    """Return the rows of two tables in memory as one."""
    one, other = first.drawn(slice(None)), second.drawn(slice(None))
    if isinstance(one, np.ndarray):
        return DenseTable(
            np.concatenate([one, np.asarray(other if isinstance(other, np.ndarray) else other.toarray())])
        )
    return SparseTable(scipy.sparse.vstack([one, scipy.sparse.csr_array(other)], format="csr"))


def group_numbers(groups: ArrayLike | None, rows: int) -> np.ndarray | None:
    """Return a number for the group of each row, (n,), from any labels.

    Raises
    ------
    ValueError
        If there is not one label per row, or one group only, or a label is missing.
    """
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != (rows,):
        raise ValueError(f"groups must have one label per row of X, {rows}; got shape {labels.shape}")
    texts = labels.astype(str) if labels.dtype == object else labels
    found, numbers = np.unique(texts, return_inverse=True)
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"groups has {int(np.isnan(labels).sum())} missing labels (NaN): give each such row its own")
    if len(found) < 2:
        raise ValueError(f"groups must have at least 2 different labels, one for either side; all are {found[0]}")
    return numbers.reshape(-1)


def whole_groups(groups: np.ndarray, count: int, generator: Generator) -> Tensor:
    """Draw groups until they have about `count` rows; return the positions of the rows."""
    sizes = np.bincount(groups)
    chosen: list[int] = []
    for group in torch.randperm(len(sizes), generator=generator).tolist():
        if sizes[chosen].sum() + sizes[group] <= count:
            chosen.append(group)
    # Groups that are all larger than that: the smallest is nearest to it.
    return torch.from_numpy(np.flatnonzero(np.isin(groups, chosen or [int(sizes.argmin())])))


def others_shuffled(rows: int, held_out: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return the positions of the rows that are held out, and those of all others in random order."""
    order = torch.randperm(rows, generator=generator)
    return held_out, order[~torch.isin(order, held_out)]


def shown(value: object) -> str:
    """Return a short form of what was given."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
