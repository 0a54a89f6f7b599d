"""`InMemory`: what tables that are in memory have in common: their rows are taken by position."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from isthmus.data.shuffling import Piece
from isthmus.data.table import Index


class InMemory:
    """The part of a `Table` that is the same for dense and sparse rows in memory."""

    streamed = False

    def __len__(self) -> int:
        raise NotImplementedError

    def split(self, validation: int, looked_at: int, generator: Generator) -> tuple[Tensor, Index]:
        """Draw `validation` rows at random; return their positions, and those of the others in random order."""
        return shuffled_split(len(self), validation, generator)

    def everything(self) -> Index:
        """Return the positions of all rows in their order."""
        return torch.arange(len(self))

    def holdable(self, wanted: int) -> int:
        """Return `wanted`: all rows are in memory."""
        return wanted

    def hold(self, index: Tensor) -> None:
        """Do nothing: all rows are in memory."""

    def shuffled(self, index: Index, generator: Generator) -> Iterator[Piece]:
        """Refuse: rows in memory are taken by position."""
        raise TypeError("rows in memory are shuffled by their positions: use take()")


def shuffled_split(rows: int, validation: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return all positions in random order, the first `validation` of them apart."""
    validated, others = torch.randperm(rows, generator=generator).tensor_split([validation])
    return validated, others
