"""`OutputColumns`: which cells of a row and which outputs of a decoder belong to the same column."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from isthmus.core.likelihood import LikelihoodModule


class OutputColumns(NamedTuple):
    """The columns of a likelihood, whose losses depend on nothing but their own outputs."""

    of_cell: Tensor
    """(F,) number of the column of each cell."""
    of_output: Tensor
    """(P,) number of the column of each output."""
    size: int
    """How many columns there are; 1 if outputs cannot be told apart by columns."""

    @classmethod
    def of(cls, likelihood: LikelihoodModule, features: int, device: torch.device) -> Self:
        """Return the columns of a likelihood for rows of `features` cells."""
        of_cell, cell_of_output = likelihood.column_of_cell(features), likelihood.cell_of_output(features)
        if cell_of_output is None:
            return cls(torch.zeros_like(of_cell).to(device), of_cell.new_zeros(likelihood.outputs).to(device), 1)
        return cls(of_cell.to(device), of_cell[cell_of_output].to(device), int(of_cell.max()) + 1)

    def sums(self, cells: Tensor) -> Tensor:
        """Sum numbers of cells (F,) over each column, (columns,)."""
        return cells.new_zeros(self.size).index_add(0, self.of_cell, cells)
