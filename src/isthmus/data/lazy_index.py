"""`LazyIndex`: the positions of the training rows of a long table, computed on demand."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor


class LazyIndex:
    """The positions of all rows of a table except a few: first some given ones, then the rest in ascending order.

    It has the part of a tensor's interface that training uses: `len`, slicing and `split`. Its memory does not grow
    with the table.

    Parameters
    ----------
    total : int
        Rows of the table.
    left_out : Tensor of shape (m,)
        Positions that are excluded.
    first : Tensor of shape (k,)
        Positions that come first; none of them may be in `left_out`.

    Examples
    --------
    >>> index = LazyIndex(6, left_out=torch.tensor([4]), first=torch.tensor([3, 0]))
    >>> len(index), index[:4]
    (5, tensor([3, 0, 1, 2]))
    """

    def __init__(self, total: int, left_out: Tensor, first: Tensor) -> None:
        self.total = total
        self.left_out = left_out.sort().values
        self.first = first
        taken = torch.cat([self.left_out, first]).sort().values
        # The j-th position that is not taken is j plus the number of taken positions before it.
        self.before = taken - torch.arange(len(taken))

    def __len__(self) -> int:
        return self.total - len(self.left_out)

    def __getitem__(self, places: slice) -> Tensor:
        """Return the positions at these places of the order, (b,)."""
        start, stop, step = places.indices(len(self))
        found = torch.arange(start, stop, step)
        drawn = found[found < len(self.first)]
        rest = found[len(drawn) :] - len(self.first)
        return torch.cat([self.first[drawn], rest + torch.searchsorted(self.before, rest, right=True)])

    def split(self, size: int) -> Iterator[Tensor]:
        """Iterate over all positions, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def drawn(total: int, validation: int, some: int, generator: Generator) -> tuple[Tensor, LazyIndex]:
    """Draw `validation` rows at random; return their positions in ascending order, and the index of all other rows.

    The other rows begin with `some` rows that are drawn at random too.
    """
    chosen = distinct(total, min(total, validation + some), generator)
    held_out = chosen[:validation].sort().values
    return held_out, LazyIndex(total, held_out, chosen[validation:])


def distinct(total: int, count: int, generator: Generator) -> Tensor:
    """Draw `count` different whole numbers below `total`, in random order; memory grows with `count` only."""
    if total <= 4 * count:
        return torch.randperm(total, generator=generator)[:count]
    found = torch.empty(0, dtype=torch.int64)
    while len(found) < count:
        more = torch.randint(total, (count + count // 8 + 8,), generator=generator)
        found = torch.cat([found, more]).unique()
    return found[torch.randperm(len(found), generator=generator)[:count]]
