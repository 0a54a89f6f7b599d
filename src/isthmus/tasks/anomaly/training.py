"""`Training`: what a detection method learns from."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from isthmus.data.columns import Columns
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators import AutoEncoder
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.trimming import ROUNDS, trimmed, unsuspected


@dataclass(frozen=True)
class Training:
    """The training rows, and the circumstances of the training."""

    numbers: Numbers
    """(n, R) the rows."""
    contaminated: bool
    """Whether some of the rows may be anomalies."""
    seed: int
    """The seed of everything that is drawn at random."""
    device: torch.device
    """The device to compute on."""
    schema: TableSchema
    """What was learned of the table's columns."""
    estimator: AutoEncoder | None = None
    """The autoencoder that the user gave, or None."""

    @property
    def columns(self) -> Columns | None:
        """The columns of a table of several kinds; None for numbers alone."""
        return self.schema.columns

    @cached_property
    def cells(self) -> RobustCells:
        """What turns numbers into cells; dense rows only."""
        return RobustCells(self.columns).fit(self.numbers)

    @cached_property
    def x(self) -> Tensor:
        """(n, C) the rows as cells, float32."""
        return self.cells.transform(self.numbers)

    @cached_property
    def robust(self) -> tuple[Tensor, Tensor]:
        """Mean (C,) and precision matrix (C, C) of the more normal rows; of all rows in a clean setting."""
        return trimmed(self.x, ROUNDS if self.contaminated else 0)

    @cached_property
    def kept(self) -> Tensor:
        """(n,) bool: the rows not suspected to be anomalies. All rows in a clean setting, and all sparse rows."""
        if not self.contaminated or is_sparse(self.numbers):
            return torch.ones(self.numbers.shape[0], dtype=torch.bool)
        return unsuspected(self.x, *self.robust)
