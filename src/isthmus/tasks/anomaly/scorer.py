"""What the methods of detection have in common: `Training`, what they learn from, and `Scorer`, what they become."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import scipy.sparse
import torch
from torch import Tensor, nn

from isthmus.data.rows import Rows
from isthmus.engine import devices
from isthmus.engine.inference import BLOCK, map_rows
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.trimming import ROUNDS, trimmed, unsuspected


@dataclass(frozen=True)
class Training:
    """What methods learn from: n rows of R numbers, C cells."""

    numbers: Any
    """(n, R) array, or CSR."""
    contaminated: bool
    """Whether some of the rows may be anomalies."""
    seed: int
    device: torch.device
    reader: Any
    """The estimator that knows what the columns are."""
    estimator: Any = None
    """What the user gave to be trained, or None."""

    @cached_property
    def cells(self) -> RobustCells:
        """From numbers to cells; not of sparse rows."""
        return RobustCells(getattr(self.reader, "columns_", None)).fit(self.numbers)

    @cached_property
    def x(self) -> Tensor:
        """(n, C) the rows as cells, float32."""
        return self.cells.whole(self.numbers)

    @cached_property
    def robust(self) -> tuple[Tensor, Tensor]:
        """Mean (C,) and precision (C, C) of the more normal rows, of all in a clean setting."""
        return trimmed(self.x, ROUNDS if self.contaminated else 0)

    @cached_property
    def kept(self) -> Tensor:
        """(n,) bool: rows that are not suspected of being anomalies; all in a clean setting, and of sparse rows."""
        if not self.contaminated or scipy.sparse.issparse(self.numbers):
            return torch.ones(self.numbers.shape[0], dtype=torch.bool)
        return unsuspected(self.x, *self.robust)


class Scorer(Protocol):
    """A trained method."""

    def score(self, numbers: Any) -> np.ndarray:
        """Return how anomalous each row is, (n,) float64, of numbers (n, R): each by itself, higher is more so."""
        ...

    def errors(self, numbers: Any) -> np.ndarray:
        """Return how far each column is from what the model expects, (n, columns) float64, at least 0."""
        ...


class CellScorer(nn.Module):
    """A method that looks at rows as cells.

    Parameters
    ----------
    cells
        From numbers to cells.
    device
        Where it computes.
    """

    def __init__(self, cells: RobustCells, device: torch.device) -> None:
        super().__init__()
        # In a list, so that it stays on the processor: cells are made in float64, which not every device has.
        self._cells, self.device = [cells], device

    @property
    def cells(self) -> RobustCells:
        """From numbers to cells."""
        return self._cells[0]

    def of_cells(self, x: Tensor) -> Tensor:
        """Return how anomalous each row of cells x (B, C) is, (B,)."""
        raise NotImplementedError

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return how far each cell is from what the model expects, (B, C), at least 0."""
        raise NotImplementedError

    def score(self, numbers: np.ndarray) -> np.ndarray:
        """Return how anomalous each row is, (n,) float64, of numbers (n, R)."""
        return self._map(lambda raw: self.of_cells(self.cells(raw).to(self.device)).double(), numbers, None)

    def errors(self, numbers: np.ndarray) -> np.ndarray:
        """Return how far each column is from what the model expects, (n, columns) float64."""
        cells = self.cells
        columns = cells.count if cells.table is None else len(cells.table.columns)

        def by_column(raw: Tensor) -> Tensor:
            return cells.by_column(self.cell_errors(cells(raw).to(self.device)).double())

        return self._map(by_column, numbers, columns)

    def _map(self, function: Any, numbers: np.ndarray, columns: int | None) -> np.ndarray:
        with devices.threads(devices.thread_count("auto", self.operations)):
            return map_rows(function, Rows(numbers, dtype=torch.float64, resident=False), columns)

    @property
    def operations(self) -> float:
        """Floating-point operations of a block of rows, about."""
        return 2.0 * BLOCK * sum(tensor.numel() for tensor in self.state_dict().values())
