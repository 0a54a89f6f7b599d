"""Rows that arrive in pieces: shuffled through a buffer and cut into batches."""

from collections import abc
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

Batches = abc.Generator[tuple[Tensor, Tensor | None], None, None]
"""Rows (B, F) and their weights, (B,) or None, batch by batch; closed, it lets go of what reads ahead."""


class Piece(NamedTuple):
    """Rows of a table that arrive together."""

    rows: Tensor
    """(b, F)."""
    positions: Tensor
    """(b,) their positions in the table."""

    def chosen(self, chosen: Tensor) -> "Piece":
        """Return a copy of the rows at these places (b,)."""
        return Piece(self.rows[chosen], self.positions[chosen])


def joined(pieces: list[Piece]) -> Piece:
    """Return the rows of all pieces as one piece, in their order."""
    if len(pieces) == 1:
        return pieces[0]
    return Piece(torch.cat([piece.rows for piece in pieces]), torch.cat([piece.positions for piece in pieces]))


def mixed(pieces: Iterable[Piece], capacity: int, generator: Generator) -> Iterator[Piece]:
    """Yield the same rows in random order, as far as a buffer of `capacity` rows can mix them.

    First the buffer is filled. Then every row that arrives takes a random place in the buffer, and the row that was
    there is yielded. If two rows of a piece draw the same place, one of them is yielded at once. Each piece that is
    yielded is shuffled.

    Parameters
    ----------
    pieces : iterable of Piece
        The rows and their positions.
    capacity : int
        The buffer holds at least this many rows, if there are as many.
    generator : torch.Generator
        The only source of randomness.
    """
    filling: list[Piece] = []
    pool: Piece | None = None
    largest = 1
    for piece in pieces:
        largest = max(largest, len(piece.positions))
        if pool is None:
            filling.append(piece)
            if sum(len(filled.positions) for filled in filling) >= capacity:
                pool, filling = joined(filling) if len(filling) > 1 else copied(filling[0]), []
        elif len(piece.positions):
            yield exchanged(pool, piece, generator)
        del piece
    if pool is None:
        if not filling:
            return
        pool, filling = joined(filling), []
    order = torch.randperm(len(pool.positions), generator=generator)
    for some in order.split(largest):
        yield pool.chosen(some)


def copied(piece: Piece) -> Piece:
    """Return a copy of the rows that may be written to; the memory of the rows themselves may be the source's."""
    return Piece(piece.rows.clone(), piece.positions.clone())


def exchanged(pool: Piece, piece: Piece, generator: Generator) -> Piece:
    """Put the rows of a piece at random places of the pool; return as many rows, which the pool no longer holds."""
    count = len(piece.positions)
    order = torch.randperm(count, generator=generator)
    places = torch.randint(len(pool.positions), (count,), generator=generator).unique()
    staying, going = order[: len(places)], order[len(places) :]
    out = joined([pool.chosen(places), piece.chosen(going)])
    pool.rows[places], pool.positions[places] = piece.rows[staying], piece.positions[staying]
    return out.chosen(torch.randperm(count, generator=generator))


def equal_sizes(total: int, count: int) -> list[int]:
    """Return the sizes of `count` parts of `total` rows, which differ by at most one, as `tensor_split` makes them.

    >>> equal_sizes(7, 3)
    [3, 2, 2]
    """
    size, more = divmod(total, count)
    return [size + 1] * more + [size] * (count - more)


def cut(blocks: Iterable[tuple[Tensor, Tensor | None]], sizes: Iterable[int]) -> Batches:
    """Cut blocks of rows (b, F), with weights (b,) or None, into batches of these sizes."""
    coming = iter(blocks)
    x, weight = next(coming, (torch.empty(0), None))
    for size in sizes:
        taken: list[Tensor] = []
        weights: list[Tensor] = []
        missing = size
        while missing:
            if not len(x):
                x, weight = next(coming)
            taken.append(x[:missing])
            x = x[missing:]
            if weight is not None:
                weights.append(weight[:missing])
                weight = weight[missing:]
            missing -= len(taken[-1])
        yield whole(taken), whole(weights) if weights else None


def whole(parts: list[Tensor]) -> Tensor:
    """Return the parts of a batch as one tensor."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
