"""`LazyIndex`: which rows of a long table to train on, without a number for each of them."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor


class LazyIndex:
    """All positions of a table but a few, some drawn at random coming first; its memory does not grow with the table.

    Behind as much of an index tensor's interface as training asks for. The order is: the ones drawn, then the rest as
    they lie.

    Parameters
    ----------
    total
        Rows of the table.
    left_out
        LazyIndex that are none of them.
    first
        LazyIndex that come first, none of them in `left_out`.

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
        # The j-th that is not taken is j plus as many as are taken before it.
        self.before = taken - torch.arange(len(taken))

    def __len__(self) -> int:
        return self.total - len(self.left_out)

    def __getitem__(self, places: slice) -> Tensor:
        """LazyIndex at these places in the order, (b,)."""
        start, stop, step = places.indices(len(self))
        found = torch.arange(start, stop, step)
        drawn = found[found < len(self.first)]
        rest = found[len(drawn) :] - len(self.first)
        return torch.cat([self.first[drawn], rest + torch.searchsorted(self.before, rest, right=True)])

    def split(self, size: int) -> Iterator[Tensor]:
        """Pass over all of them, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def drawn(total: int, judged: int, some: int, generator: Generator) -> tuple[Tensor, LazyIndex]:
    """Draw which rows judge, (judged,) as they lie, and return the others, `some` of them at random coming first."""
    chosen = distinct(total, min(total, judged + some), generator)
    judges = chosen[:judged].sort().values
    return judges, LazyIndex(total, judges, chosen[judged:])


def distinct(total: int, count: int, generator: Generator) -> Tensor:
    """Draw `count` different whole numbers below `total`, in random order; memory grows with `count` alone."""
    if total <= 4 * count:
        return torch.randperm(total, generator=generator)[:count]
    found = torch.empty(0, dtype=torch.int64)
    while len(found) < count:
        more = torch.randint(total, (count + count // 8 + 8,), generator=generator)
        found = torch.cat([found, more]).unique()
    return found[torch.randperm(len(found), generator=generator)[:count]]
