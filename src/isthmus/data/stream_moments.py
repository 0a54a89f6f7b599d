"""Mean and variance of the columns of a stream, which follow it: what the stream has left behind is forgotten."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.core.checked_tensors import checked

JUMP = 4.0
"""A column has changed if its spread has become that many times larger or smaller, or its mean moved by as many."""
SHARE = 0.25
"""It has grown if that share of a chunk's rows lies as far from what was known; single outliers are no change."""
LEAST_ROWS = 30
"""Rows from which a spread is told from chance."""
LATER = 3.0
"""A spread that has shrunk is believed when that many times as many rows have shown it as came before."""
ROUNDING = 10 * torch.finfo(torch.float64).eps
"""Relative to the mean: a spread that is no larger counts as none."""
Block = tuple[Tensor, Tensor | None]
"""Rows (b, F) in float64, and their weights (b,) or None."""


class ColumnMoments(NamedTuple):
    """Total weight, mean and sum of squared deviations of the cells of each column that are not missing, (F,) each.

    Merged in float64 as in Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", equation
    1.5.

    Examples
    --------
    >>> one, other = (ColumnMoments.of(torch.tensor(x).double()[:, None]) for x in ([1, 2], [6]))
    >>> one.joined(other).mean, one.joined(other).variance
    (tensor([3.], dtype=torch.float64), tensor([4.6667], dtype=torch.float64))
    """

    weight: Tensor
    mean: Tensor
    squares: Tensor

    @classmethod
    def none(cls, features: int) -> "ColumnMoments":
        """Return the moments of no rows."""
        return cls(*torch.zeros(3, features, dtype=torch.float64))

    @classmethod
    def of(cls, rows: Tensor, weight: Tensor | None = None) -> "ColumnMoments":
        """Return the moments of rows (n, F) in float64, where NaN is a missing cell, with weights (n,)."""
        there = (~rows.isnan()).double()
        if weight is not None:
            there = there * weight.double()[:, None]
        total = there.sum(0)
        filled = rows.nan_to_num(0)
        mean = (there * filled).sum(0) / total.clamp_min(1e-300)
        return cls(total, mean, (there * (filled - mean).square()).sum(0))

    @property
    def variance(self) -> Tensor:
        """Variance of each column, (F,); 0 where nothing was seen."""
        return self.squares / self.weight.clamp_min(1e-300)

    @property
    def deviation(self) -> Tensor:
        """Standard deviation of each column, (F,); 0 where it is no larger than the rounding errors of the values."""
        deviation = self.variance.clamp_min(0).sqrt()
        return torch.where(deviation > ROUNDING * self.mean.abs(), deviation, 0.0)

    def joined(self, other: "ColumnMoments") -> "ColumnMoments":
        """Return the moments of these rows and those together."""
        total = self.weight + other.weight
        share = other.weight / total.clamp_min(1e-300)
        away = other.mean - self.mean
        squares = self.squares + other.squares + away.square() * (self.weight * share)
        return ColumnMoments(total, self.mean + away * share, squares)

    def part(self, start: int, stop: int) -> "ColumnMoments":
        """Return the moments of neighbouring columns."""
        return ColumnMoments(*(tensor[start:stop] for tensor in self))

    def where(self, chosen: Tensor, other: "ColumnMoments") -> "ColumnMoments":
        """Return these moments where `chosen` (F,), and the other's elsewhere."""
        return ColumnMoments(*(torch.where(chosen, *pair) for pair in zip(self, other, strict=True)))


class Change(NamedTuple):
    """What a chunk has changed in a stream, by column: (F,) bool each."""

    grown: Tensor
    """Many values are far from all before: only this chunk tells what the column is now."""
    shrunk: Tensor
    """The spread has long been smaller: the rows before are forgotten."""
    compared: bool
    """Whether the recent rows are now counted among the older ones."""

    @classmethod
    def none(cls, features: int) -> "Change":
        """Return that nothing has changed."""
        unchanged = torch.zeros(features, dtype=torch.bool)
        return cls(unchanged, unchanged, compared=False)


class Together(NamedTuple):
    """Columns that change together, as `StreamMoments.add` has them."""

    group: Tensor | None = None
    telling: Tensor | None = None

    def __call__(self, changed: Tensor) -> Tensor:
        """Return all columns that have changed, (F,) bool, from those that show it, (F,) bool."""
        told = changed if self.telling is None else changed & self.telling
        return told if self.group is None else torch.isin(self.group, self.group[told])


class StreamMoments:
    """Mean and variance of every column over the rows of a stream since the column last changed.

    A column many of whose values lie more than `JUMP` deviations away from its mean is measured by the new rows alone,
    from the chunk on that shows it. One whose spread becomes as much smaller may be at rest for a while, so it is
    judged by the new rows alone once they are three quarters of all.

    Parameters
    ----------
    features : int
        Number of columns F.

    Attributes
    ----------
    older, recent : ColumnMoments
        Of the rows until, and since, the spreads were last compared.
    rows, recent_rows : float
        The total weight of all of them since the last change, and of the recent ones.
    smallest, largest : Tensor of shape (F,)
        The range of all values that were seen.

    Examples
    --------
    >>> stream = StreamMoments(1)
    >>> for spread in (0.0, 1.0, 1.0):
    ...     _ = stream.add([(torch.linspace(-spread, spread, 100, dtype=torch.float64)[:, None], None)])
    >>> stream.all.deviation  # that of the last two chunks
    tensor([0.5832], dtype=torch.float64)
    """

    def __init__(self, features: int) -> None:
        self.older, self.recent = ColumnMoments.none(features), ColumnMoments.none(features)
        self.rows = self.recent_rows = 0.0
        self.smallest = torch.full((features,), torch.inf, dtype=torch.float64)
        self.largest = -self.smallest

    @classmethod
    def of(cls, moments: ColumnMoments, rows: float, smallest: Tensor, largest: Tensor) -> "StreamMoments":
        """Return the stream that begins with rows of these moments, this total weight and this range."""
        stream = cls(len(moments.mean))
        stream.older, stream.rows = moments, rows
        stream.smallest, stream.largest = smallest.double(), largest.double()
        return stream

    @property
    def all(self) -> ColumnMoments:
        """The moments of all rows that count."""
        return self.older.joined(self.recent)

    def add(self, blocks: Iterable[Block], group: Tensor | None = None, telling: Tensor | None = None) -> Change:
        """Add a chunk of rows; return how columns changed.

        Parameters
        ----------
        blocks
            Rows (b, F) in float64, NaN where a value is missing, and their weights (b,), in blocks.
        group
            (F,) number of the group of each column; if one of a group has changed, all of it has. None: each alone.
        telling
            (F,) bool, the columns by which a change is told; None: all.
        """
        known = self.all
        chunk = ColumnMoments.none(len(known.mean))
        # Rounding errors are no spread.
        reach = JUMP * torch.maximum(known.deviation, ROUNDING * known.mean.abs())
        far, rows = torch.zeros_like(known.mean), 0.0
        for x, weight in blocks:
            chunk = chunk.joined(ColumnMoments.of(x, weight))
            missing = x.isnan()
            self.smallest = torch.minimum(self.smallest, torch.where(missing, torch.inf, x).amin(0))
            self.largest = torch.maximum(self.largest, torch.where(missing, -torch.inf, x).amax(0))
            away = ((x - known.mean).abs() > reach).double()
            far += away.sum(0) if weight is None else weight.double() @ away
            rows += float(len(x) if weight is None else weight.sum())
        seen = (known.weight > 0) & (chunk.weight >= LEAST_ROWS)
        grown = seen & (chunk.deviation > 0) & (far >= SHARE * chunk.weight)
        together = Together(group, telling)
        return self.joined(chunk, rows, together(grown), together)

    def joined(self, chunk: ColumnMoments, rows: float, grown: Tensor, together: "Together") -> Change:
        """Add the moments of a chunk that shows these columns to have grown; return how columns changed."""
        if grown.any() or not self.rows:
            self.older = chunk.where(grown, self.all.joined(chunk))
            self.recent = ColumnMoments.none(len(grown))
            self.rows, self.recent_rows = rows, 0.0
            return Change(grown, torch.zeros_like(grown), compared=True)
        self.recent = self.recent.joined(chunk)
        self.recent_rows, self.rows = self.recent_rows + rows, self.rows + rows
        if self.recent_rows < max(LATER * (self.rows - self.recent_rows), LEAST_ROWS):
            return Change(grown, torch.zeros_like(grown), compared=False)
        shrunk = together(self.shrunk())
        self.older = self.recent.where(shrunk, self.all)
        self.recent, self.recent_rows = ColumnMoments.none(len(grown)), 0.0
        return Change(grown, shrunk, compared=True)

    def shrunk(self) -> Tensor:
        """Return which columns the recent rows show to vary far less than all, (F,) bool; a column at rest is none."""
        recent, every = self.recent.deviation, self.all.deviation
        return (self.recent.weight >= LEAST_ROWS) & (recent > 0) & (every > JUMP * recent)

    @property
    def state(self) -> dict[str, Tensor]:
        """All of it as tensors, to be saved."""
        found = {f"older_{name}": tensor.clone() for name, tensor in self.older._asdict().items()}
        found |= {f"recent_{name}": tensor.clone() for name, tensor in self.recent._asdict().items()}
        found |= {"smallest": self.smallest.clone(), "largest": self.largest.clone()}
        return found | {"rows": torch.tensor([self.rows, self.recent_rows], dtype=torch.float64)}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "StreamMoments":
        """Restore what `state` returned; a `ValueError` says what cannot be."""
        features = len(checked(state, "older_mean", (None,)))
        stream = cls(features)
        stream.older, stream.recent = (saved_moments(state, f"{part}_", features) for part in ("older", "recent"))
        # Those of a column without any value are infinite.
        stream.smallest, stream.largest = (
            checked(state, name, (features,), finite=False) for name in ("smallest", "largest")
        )
        stream.rows, stream.recent_rows = checked(state, "rows", (2,), least=0).tolist()
        return stream


def saved_moments(state: Mapping[str, Tensor], prefix: str, features: int) -> ColumnMoments:
    """Return the moments of that many columns whose tensors have names that begin so."""
    weight, squares = (checked(state, prefix + name, (features,), least=0) for name in ("weight", "squares"))
    return ColumnMoments(weight, checked(state, f"{prefix}mean", (features,)), squares)


def jumps(scale: Tensor, after: Tensor, away: Tensor) -> Tensor:
    """Return for which columns a change of units is a jump, (F,) bool, rather than a small correction.

    Parameters
    ----------
    scale, after
        (F,) spread before and after.
    away
        (F,) distance of the new mean from the old one.
    """
    ratio = (after / scale).log().abs()
    return (ratio > math.log(JUMP)) | (away.abs() > JUMP * torch.minimum(scale, after))
