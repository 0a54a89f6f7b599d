"""`CellRanks`: how many training rows have a smaller value in a cell, and how many the same one."""

from typing import Self

import torch
from torch import Tensor, nn

MOST = 5000
"""Greatest number of training rows that are kept to compare with."""


class CellRanks(nn.Module):
    """Counts training values below and up to a cell's value.

    Parameters
    ----------
    ascending
        (C, n) the training values of each cell in ascending order.

    Examples
    --------
    >>> ranks = CellRanks.of(torch.tensor([[1.0], [2.0], [2.0], [5.0]]))
    >>> [count.flatten().tolist() for count in ranks.counts(torch.tensor([[2.0], [3.0]]))]
    [[1.0, 3.0], [3.0, 3.0]]
    """

    def __init__(self, ascending: Tensor) -> None:
        super().__init__()
        self.ascending = nn.Buffer(ascending)

    @classmethod
    def of(cls, x: Tensor) -> Self:
        """Keep the values of rows of cells x (n, C) in random order, of more than `MOST` those of the first."""
        return cls(x[:MOST].T.contiguous().sort(1).values)

    @property
    def rows(self) -> int:
        """n, the training rows kept."""
        return self.ascending.shape[1]

    def counts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many training values are below the cells x (B, C), and how many are not above, (B, C) each."""
        values = x.T.contiguous()
        below = torch.searchsorted(self.ascending, values)
        up_to = torch.searchsorted(self.ascending, values, right=True)
        return below.T.contiguous().to(x.dtype), up_to.T.contiguous().to(x.dtype)

    def normal_scores(self, x: Tensor) -> Tensor:
        """Return the normal quantile of each cell's mid-rank, (B, C), for cells x (B, C).

        Beyond the values seen the distance from the nearest of them is added, so that the farther of two stays farther.
        """
        below, up_to = self.counts(x)
        least = 0.5 / self.rows
        scores = torch.special.ndtri(((below + up_to) / (2 * self.rows)).clamp(least, 1 - least))
        low, high = self.ascending[:, 0], self.ascending[:, -1]
        return scores + (x - high).clamp_min(0) - (low - x).clamp_min(0)

    def new_value_chances(self) -> Tensor:
        """Return the chance of a value never seen, by cell, (C,): the share of values seen once (Good 1953)."""
        before, after = self.ascending[:, :-1], self.ascending[:, 1:]
        differs = before != after
        edge = torch.ones_like(differs[:, :1])
        once = torch.cat([edge, differs], 1) & torch.cat([differs, edge], 1)
        return once.to(self.ascending.dtype).mean(1)
