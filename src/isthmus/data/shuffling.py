"""Rows that come in pieces, shuffled through a buffer, and cut into batches."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Piece(NamedTuple):
    """Rows that came together."""

    rows: Tensor
    """(b, F)."""
    positions: Tensor
    """(b,) where they stand in the table."""

    def chosen(self, chosen: Tensor) -> "Piece":
        """Return the rows at these places (b,), in memory of their own."""
        return Piece(self.rows[chosen], self.positions[chosen])


def joined(pieces: list[Piece]) -> Piece:
    """Return the rows of all pieces, one after another."""
    if len(pieces) == 1:
        return pieces[0]
    return Piece(torch.cat([piece.rows for piece in pieces]), torch.cat([piece.positions for piece in pieces]))


def mixed(pieces: Iterable[Piece], room: int, generator: Generator) -> Iterator[Piece]:
    """Return the same rows in random order, as far as a buffer of `room` rows lets them mix.

    The buffer fills; then every row that comes takes a random place in it, and the one that was there goes out. Rows
    that find their place taken by another of the same piece go straight out, and each piece that goes out is shuffled.

    Parameters
    ----------
    pieces
        Rows, and where they stand.
    room
        Rows that the buffer holds at least, if there are as many.
    generator
        The order's only source.
    """
    filling: list[Piece] = []
    pool: Piece | None = None
    largest = 1
    for piece in pieces:
        largest = max(largest, len(piece.positions))
        if pool is None:
            filling.append(piece)
            if sum(len(filled.positions) for filled in filling) >= room:
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
    """Return the same rows in memory that may be written to: where they are, it may be the source's own."""
    return Piece(piece.rows.clone(), piece.positions.clone())


def exchanged(pool: Piece, piece: Piece, generator: Generator) -> Piece:
    """Put the rows of a piece at random places of the pool, and return as many others."""
    count = len(piece.positions)
    order = torch.randperm(count, generator=generator)
    places = torch.randint(len(pool.positions), (count,), generator=generator).unique()
    staying, going = order[: len(places)], order[len(places) :]
    out = joined([pool.chosen(places), piece.chosen(going)])
    pool.rows[places], pool.positions[places] = piece.rows[staying], piece.positions[staying]
    return out.chosen(torch.randperm(count, generator=generator))


def equal_sizes(total: int, count: int) -> list[int]:
    """Return the sizes of `count` parts of `total` rows, the same give or take one, as `tensor_split` makes them."""
    size, more = divmod(total, count)
    return [size + 1] * more + [size] * (count - more)


def cut(blocks: Iterable[tuple[Tensor, Tensor | None]], sizes: Iterable[int]) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Cut rows (b, F) and their weights (b,) or None, which come in blocks, into batches of these sizes."""
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
    """Return parts of a batch as one."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
