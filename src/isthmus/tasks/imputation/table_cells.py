"""`TableCells`: a table as the cells that every imputation method sees, and back.

Methods see the network's cells: numbers standardised, skewed ones after a logarithm, categories as zeros and a one.
They answer with *outcomes*: what the data's own units make of a cell, so that the mean of an outcome is the mean of the
value. Outcomes lie in the same places as cells and differ from them on logarithmic scales only, where the outcome is
the value over the constant of the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from isthmus.data.fields import Name
from isthmus.data.schema import TableSchema
from isthmus.data.tables import TableScaling

LARGEST_LOG = 300.0
"""Logarithms are limited to ± this, so that sums of their exponentials are finite."""
WHOLE = 1.0
"""The step of columns of whole numbers."""


@dataclass(frozen=True, eq=False)
class CellGroup:
    """The cells of one column.

    Parameters
    ----------
    column : int
        Its place among the columns.
    name : hashable
        Its name.
    cells : ndarray
        All of its cells, which are hidden together.
    targets : ndarray
        Those that are filled: without the sines and cosines of a calendar.
    choices : bool
        Whether one of several values is chosen (categories, booleans), so that cells are probabilities.
    """

    column: int
    name: Name
    cells: np.ndarray
    targets: np.ndarray
    choices: bool


class TableCells:
    """Between the numbers of a table, the cells that methods see, and the outcomes that they answer with.

    Parameters
    ----------
    schema : TableSchema
        What was learned of the table; its columns are of several kinds.
    """

    def __init__(self, schema: TableSchema) -> None:
        assert schema.columns is not None, "an imputer learns columns of several kinds"
        self.columns, self.scaling = schema.columns, TableScaling(schema.columns)
        scaling = self.scaling
        self.width = scaling.cells
        self.groups = self.found_groups()
        real = len(scaling.real)
        self.counted = np.arange(self.width - len(scaling.counted), self.width)
        self.log_cells = np.flatnonzero(scaling.log_constant[:real].numpy() > 0)
        self.log_mean = scaling.mean.numpy()[self.log_cells]
        self.log_deviation = scaling.deviation.numpy()[self.log_cells]

    def found_groups(self) -> list[CellGroup]:
        """Return the groups of cells that are filled, column by column."""
        column_of_cell = self.scaling.feature_group.numpy()
        real = len(self.scaling.real)
        calendar = np.arange(real, real + 2 * len(self.scaling.calendar_cells))
        found = []
        for place, column in enumerate(self.columns):
            cells = np.flatnonzero(column_of_cell == place)
            targets = np.setdiff1d(cells, calendar)
            if len(targets):
                choices = column.layout in ("category", "boolean")
                found.append(CellGroup(place, column.name, cells, targets, choices))
        return found

    def cells(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers (n, R) as cells (n, F) float64, NaN where a value is missing or its category unknown."""
        cells: np.ndarray = self.scaling(torch.from_numpy(numbers), torch.float64).numpy()
        for group in self.groups:
            if self.columns[group.column].layout == "category":
                codes = numbers[:, self.scaling.places[group.column]]
                cells[np.ix_(codes >= len(self.columns[group.column].levels), group.cells)] = np.nan
        return cells

    def numbers_of_cells(self, cells: np.ndarray) -> np.ndarray:
        """Return the places, among the R numbers of a row, of the columns that these cells belong to."""
        columns = np.unique(self.scaling.feature_group.numpy()[cells])
        places = [self.scaling.places[c] + np.arange(self.columns[c].numbers) for c in columns]
        return np.concatenate(places)

    def hiding(self, columns: Sequence[int], numbers: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers (n, R) and cells (n, F) with all values of these columns (places) missing."""
        if not len(columns):
            return numbers, cells
        own = np.flatnonzero(np.isin(self.scaling.feature_group.numpy(), columns))
        numbers, cells = numbers.copy(), cells.copy()
        numbers[:, self.numbers_of_cells(own)] = np.nan
        cells[:, own] = np.nan
        return numbers, cells

    def outcomes(self, cells: np.ndarray) -> np.ndarray:
        """Return cells (n, F) as outcomes (n, F)."""
        found = cells.copy()
        found[:, self.log_cells] = self.exponential(cells[:, self.log_cells])
        return found

    def exponential(self, logs: np.ndarray) -> np.ndarray:
        """Return cells on logarithmic scales (..., log cells) as outcomes."""
        linear = np.clip(logs * self.log_deviation + self.log_mean, -LARGEST_LOG, LARGEST_LOG)
        found: np.ndarray = np.sign(linear) * np.expm1(np.abs(linear))
        return found

    def expected_outcomes(self, cells: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return the expected outcomes (n, F) of cells that are expected to be `cells` (n, F).

        On a logarithmic scale the mean of the value is more than the value of the mean: it is taken over the residuals
        (quantiles, log cells) that expectations of hidden cells had (smearing, Duan 1983).
        """
        found = cells.copy()
        if len(self.log_cells):
            # Quantile by quantile: (n, log cells) is large enough.
            mean = sum(self.exponential(cells[:, self.log_cells] + quantile) for quantile in residuals)
            found[:, self.log_cells] = mean / len(residuals)
        return found

    def logs(self, outcomes: np.ndarray) -> np.ndarray:
        """Return outcomes (n, F) as cells; the inverse of `outcomes`."""
        found = outcomes.copy()
        part = outcomes[:, self.log_cells]
        linear = np.sign(part) * np.log1p(np.abs(part))
        found[:, self.log_cells] = (linear - self.log_mean) / self.log_deviation
        return found

    def numbers(self, outcomes: np.ndarray, *, whole: bool) -> np.ndarray:
        """Return outcomes (n, F) as the numbers (n, R) of a table.

        Parameters
        ----------
        outcomes
            As methods expect them, or drawn.
        whole
            Whether columns of whole numbers get whole numbers, and columns of 0 and 1 one of them; if not, they get
            expectations. Categories get the likeliest one in either case.
        """
        scaling, x = self.scaling, torch.from_numpy(self.logs(outcomes))
        raw = x.new_full((len(x), scaling.numbers), torch.nan)
        sizes = [len(scaling.real), 2 * len(scaling.calendar_cells), len(scaling.flags), sum(scaling.block_sizes)]
        real, _, flags, named, counted = x.split([*sizes, len(scaling.counted)], dim=1)
        values = scaling.values(real, rounded=False)
        if whole:
            values = torch.where((scaling.step == WHOLE) & ~scaling.is_time, values.round(), values)
            flags, counted = (flags >= 0.5).double(), counted.round()
        scaling.write_values(raw, values)
        raw[:, [scaling.places[index] for index in scaling.flags]] = flags.clamp(0, 1)
        scaling.write_categories(raw, named)
        ends = [(self.columns[index].smallest, self.columns[index].largest) for index in scaling.counted]
        bounds = torch.tensor(ends, dtype=torch.float64).reshape(-1, 2)
        raw[:, [scaling.places[index] for index in scaling.counted]] = counted.clamp(bounds[:, 0], bounds[:, 1])
        return np.asarray(raw.numpy())


def hidden_together(groups: Sequence[CellGroup], missing: np.ndarray) -> list[np.ndarray]:
    """Return which cells to hide with each group, so that it is judged by what is known where it is missing.

    Parameters
    ----------
    groups
        The groups of cells.
    missing
        (n, F) which cells are missing.

    Returns
    -------
    list of ndarray
        For each group its own cells, and those of columns that are mostly missing where it is, but not elsewhere.
    """
    gone = np.stack([missing[:, group.cells[0]] for group in groups], axis=1).astype(np.float64)
    count = gone.sum(0)
    with_it = (gone.T @ gone) / np.maximum(count, 1)[:, None]
    without_it = ((1 - gone).T @ gone) / np.maximum(len(gone) - count, 1)[:, None]
    companions = (with_it > 0.5) & (with_it - without_it > 0.5)
    np.fill_diagonal(companions, True)
    return [np.concatenate([groups[other].cells for other in np.flatnonzero(row).tolist()]) for row in companions]
