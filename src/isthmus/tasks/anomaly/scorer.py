"""`Scorer`: a trained detection method, and `CellScorer`, one that sees rows as cells."""

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.core.torch_threads import threads
from isthmus.data.rows import Rows
from isthmus.data.table import Numbers
from isthmus.engine import devices
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK, map_rows
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.state import Surroundings, own_copy
from isthmus.tasks.anomaly.training import Training


class Scorer(Protocol):
    """A trained detection method."""

    @property
    def cells(self) -> RobustCells | None:
        """What turns numbers into the cells the scorer sees; None if it reads the numbers themselves."""
        ...

    @property
    def history(self) -> History | None:
        """The course of the training; None if no network was trained, or if a file did not keep it."""

    @property
    def stored_rows(self) -> int:
        """How many training rows it holds as they are, or column by column."""
        ...

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train the method."""
        ...

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R), (n,) float64: higher is odder, and no row affects another."""
        ...

    def errors(self, numbers: Numbers) -> np.ndarray | None:
        """Return how far each column is from what the model expects, (n, columns) float64, at least 0.

        None if the method does not tell columns apart.
        """
        ...

    def state(self) -> State:
        """Return what it takes to rebuild the scorer."""
        ...

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        ...


class CellScorer(nn.Module):
    """A detection method that sees rows as cells; subclasses say how cells are scored.

    Parameters
    ----------
    cells
        Turns numbers into cells.
    device
        The device to compute on.
    """

    def __init__(self, cells: RobustCells, device: torch.device) -> None:
        super().__init__()
        # In a list, so that it stays on the CPU: cells are computed in float64, which not every device has.
        self._cells, self.device = [cells], device
        self._history: History | None = None

    @property
    def cells(self) -> RobustCells:
        """What turns numbers into cells."""
        return self._cells[0]

    @property
    def history(self) -> History | None:
        """The course of the training; None if no network was trained, or if a file did not keep it."""
        return self._history

    @property
    def stored_rows(self) -> int:
        """How many training rows it holds: none, unless a method says otherwise."""
        return 0

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train the method."""
        raise cls.lacks("trained_on(training)", "a class method that returns a trained scorer")

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the score of each row of cells x (B, C), (B,); higher is odder."""
        raise self.lacks("score_cells(x)", "the score of each row of cells (B, C), (B,), higher is odder")

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return how far each cell is from what the model expects, (B, C), at least 0."""
        raise self.lacks("cell_errors(x)", "how far each cell is from what is expected, (B, C), at least 0")

    @classmethod
    def lacks(cls, method: str, what: str) -> NotImplementedError:
        """Return the error that names a method which this scorer does not define."""
        return NotImplementedError(f"the detection method {cls.__name__} lacks `{method}`: {what}; define it")

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R), (n,) float64; higher is odder."""
        return self._map(lambda raw: self.score_cells(self.cells(raw).to(self.device)).double(), numbers, None)

    def errors(self, numbers: Numbers) -> np.ndarray:
        """Return how far each column is from what the model expects, (n, columns) float64."""
        cells = self.cells

        def by_column(raw: Tensor) -> Tensor:
            return cells.sum_by_column(self.cell_errors(cells(raw).to(self.device)).double())

        return self._map(by_column, numbers, cells.columns)

    def _map(self, function: Callable[[Tensor], Tensor], numbers: Numbers, columns: int | None) -> np.ndarray:
        with threads(devices.thread_count("auto", self.operations)):
            return map_rows(function, Rows(numbers, dtype=torch.float64, resident=False), columns)

    @property
    def operations(self) -> float:
        """Approximate number of floating-point operations per block of rows."""
        return 2.0 * BLOCK * sum(tensor.numel() for tensor in self.state_dict().values())

    def state(self) -> State:
        """Return what it takes to rebuild the scorer: its cells and its weights."""
        weights = {name: own_copy(tensor) for name, tensor in self.state_dict().items()}
        return nest({"cells": self.cells.state(), "weights": State({}, weights)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer."""
        cells = RobustCells.from_state(*member("cells", facts, tensors), surroundings.columns)
        weights = member("weights", facts, tensors).tensors
        scorer = cls.from_weights(cells, surroundings.device, weights).to(surroundings.device).eval()
        scorer.refuse_broken()
        return scorer

    @torch.no_grad()
    def refuse_broken(self) -> None:
        """Raise a `ValueError` if a row of zeros gets no score, or cells no errors, or if weights are broken."""
        row = torch.zeros(1, self.cells.count, device=self.device)
        score, errors = self.score_cells(row), self.cell_errors(row)
        if score.shape != (1,) or errors.shape != row.shape or not bool(score.isfinite().all()):
            raise ValueError(f"the method {type(self).__name__} does not score rows of {self.cells.count} cells")

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer from its cells and its weights by name."""
        raise cls.lacks("from_weights(cells, device, weights)", "a class method that returns a saved scorer")
