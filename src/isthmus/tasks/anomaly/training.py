"""`Training`: what a detection method learns from."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from isthmus.data.columns import Columns
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators import AutoEncoder
from isthmus.tasks.anomaly.cells import RobustCells, has_wild_cell
from isthmus.tasks.anomaly.ridge_normal import RidgeNormal
from isthmus.tasks.anomaly.trimming import FINE_RIDGE, RIDGE, ROUNDS, trimmed, unsuspected


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
    def robust(self) -> RidgeNormal:
        """The normal distribution of the more normal rows as cells; in a clean setting of those not wild."""
        return self.trimmed(RIDGE)

    @cached_property
    def finely_robust(self) -> RidgeNormal:
        """The same with the small ridge."""
        return self.trimmed(FINE_RIDGE)

    def trimmed(self, ridge: float) -> RidgeNormal:
        """Return the normal distribution with this ridge of the rows that `robust` is of."""
        if not self.contaminated:
            return trimmed(self.x[self.kept], 0, ridge)
        single = self.cells.single
        if not len(single):
            return trimmed(self.x, 0, ridge)
        return trimmed(self.x, ROUNDS, ridge, None if len(single) == self.cells.count else single)

    @cached_property
    def kept(self) -> Tensor:
        """(n,) bool: the rows to learn from, which are not suspected to be anomalies. Of sparse rows they are all.

        In a clean setting they are those without wild cells, unless these are the rule.
        """
        if is_sparse(self.numbers):
            return torch.ones(self.numbers.shape[0], dtype=torch.bool)
        if self.contaminated:
            return unsuspected(self.x, self.robust)
        wild = has_wild_cell(self.x)
        return ~wild if 2 * int(wild.sum()) < len(wild) else torch.ones_like(wild)

    @cached_property
    def robust_schema(self) -> TableSchema:
        """The schema with scales of real columns that wild cells do not change."""
        if self.columns is None:
            return self.schema
        return replace(self.schema, columns=self.cells.known_columns())
