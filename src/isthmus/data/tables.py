"""`TableScaling`: from the numbers of a table's columns to what a network sees, and back, one batch at a time.

The network's cells lie in five layouts, one after another: real values, places of times in the calendar, booleans,
categories as zeros and a one, counts. Within a layout the columns are grouped by their likelihood, the default one
first and the others by name. A missing value is NaN in its cells too.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from isthmus.core.choices import refuse_unknown
from isthmus.core.registry import column_likelihoods
from isthmus.data import calendar
from isthmus.data.columns import KINDS, Column
from isthmus.data.scaling import Scaling, copied
from isthmus.parts.mixed import Mixed
from isthmus.parts.slots import ColumnLikelihood, Likelihood


class LikelihoodGroup(NamedTuple):
    """Neighbouring cells that share a likelihood."""

    likelihood: str
    """The registered name of the likelihood."""
    sizes: tuple[int, ...]
    """How many cells each column of the group has."""
    scored: bool = True
    """Whether the cells count in the score. The cycles of a trend do not: its position on the line says it all."""


class TableScaling(Scaling):
    """The scaling of a table of columns: numbers (B, R) to a network's cells (B, F), and back.

    Parameters
    ----------
    columns : sequence of Column
        What is known about the columns.

    Attributes
    ----------
    columns : tuple of Column
        The columns.
    places : list of int
        The first of each column's numbers among the R numbers of a row.
    real, flags, named, counted : list of int
        The columns whose cells are real values, booleans, blocks of categories and counts, in the order of the cells.
    calendar_cells : list of (int, str)
        The columns whose cells are sine and cosine of a cycle, and the cycle.
    block_sizes : list of int
        How many cells each column of `named` has.
    high, low : Tensor of shape (real columns,)
        The value of a real column is high times its first number plus low times its last; in days for times.
    """

    costly = True

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.places = [0, *accumulate(column.numbers for column in columns)][:-1]
        self.real, self.flags, self.named, self.counted = map(self.laid_out, ("real", "boolean", "category", "count"))
        times = [*self.laid_out("real"), *self.laid_out("date-time")]
        self.calendar_cells = [(index, cycle) for index in times for cycle in columns[index].cycles]
        self.block_sizes = [len(columns[index].shares) for index in self.named]
        group = [*self.real, *(index for index, _ in self.calendar_cells for _ in range(2)), *self.flags]
        group += [index for index, size in zip(self.named, self.block_sizes, strict=True) for _ in range(size)]
        group += self.counted
        self.columns_of_cells = torch.tensor(group, dtype=torch.long)
        self.keep_real_columns()
        self.keep_blocks()

    def laid_out(self, layout: str) -> list[int]:
        """Return the columns of a layout, those of its default likelihood first, then the others by likelihood."""
        members = [index for index, column in enumerate(self.columns) if column.layout == layout]
        likelihoods = [column.likelihood for column in self.columns]
        return sorted(members, key=lambda index: (likelihoods[index] != KINDS[layout], likelihoods[index]))

    def keep_real_columns(self) -> None:
        """Keep what is known about real columns as tensors, (real columns,) each."""
        known = [self.columns[index] for index in self.real]
        places = [self.places[index] for index in self.real]
        is_time = [column.sort in ("time", "duration") for column in known]
        self.mean = kept([column.mean for column in known])
        self.deviation = kept([column.deviation for column in known])
        self.log_constant = kept([column.log_constant for column in known])
        self.smallest = kept([column.smallest for column in known])
        self.largest = kept([column.largest for column in known])
        self.step = kept([column.step for column in known])
        self.ticks = kept([float(column.ticks) for column in known])
        self.high = kept([column.unit_values[0] for column in known])
        self.low = kept([column.unit_values[1] for column in known])
        last = [place + column.numbers - 1 for place, column in zip(places, known, strict=True)]
        self.high_place = nn.Buffer(torch.tensor(places, dtype=torch.long), persistent=False)
        self.low_place = nn.Buffer(torch.tensor(last, dtype=torch.long), persistent=False)
        self.is_time = nn.Buffer(torch.tensor(is_time, dtype=torch.bool), persistent=False)

    def keep_blocks(self) -> None:
        """Keep as tensors which cell each category has, (named, codes), and which category each cell stands for."""
        most = max([len(self.columns[index].places) for index in self.named], default=0)
        cells = torch.zeros(len(self.named), most, dtype=torch.long)
        codes = torch.zeros(sum(self.block_sizes), dtype=torch.float64)
        begin = 0
        for row, (index, size) in enumerate(zip(self.named, self.block_sizes, strict=True)):
            places = torch.tensor(self.columns[index].places)
            cells[row, : len(places)] = places + begin
            # The first category of a cell stands for it; a cell of unknown categories alone has none.
            codes[begin : begin + size] = torch.nan
            for code in reversed(range(len(places) - 1)):
                codes[begin + int(places[code])] = code
            begin += size
        self.cell_of_code = nn.Buffer(cells, persistent=False)
        self.code_of_cell = nn.Buffer(codes, persistent=False)

    @property
    def numbers(self) -> int:
        """How many numbers a row of the table has, R."""
        return sum(column.numbers for column in self.columns)

    @property
    def cells(self) -> int:
        """How many numbers the network sees per row, F."""
        return len(self.columns_of_cells)

    @property
    def shift(self) -> Tensor:
        """What is subtracted from the real-valued columns, positive ones on their logarithmic scale, float64."""
        found: Tensor = self.mean
        return found

    @property
    def scale(self) -> Tensor:
        """What they are divided by after that, float64."""
        found: Tensor = self.deviation
        return found

    @property
    def feature_group(self) -> Tensor:
        """Which column each cell belongs to, (F,) int64."""
        return self.columns_of_cells

    @property
    def likelihood_groups(self) -> list[LikelihoodGroup]:
        """Which likelihood the cells have, and how many cells each column has, group by group."""
        return [
            *self.grouped(self.real, [1] * len(self.real)),
            *self.calendar_groups(),
            *self.grouped(self.flags, [1] * len(self.flags)),
            *self.grouped(self.named, self.block_sizes),
            *self.grouped(self.counted, [1] * len(self.counted)),
        ]

    def calendar_groups(self) -> list[LikelihoodGroup]:
        """Return the groups of sines and cosines: those of trends, which are not scored, and those of other times."""
        scored = [self.columns[index].kind == "date-time" for index, _ in self.calendar_cells]
        counts = {False: scored.count(False), True: scored.count(True)}
        return [LikelihoodGroup(KINDS["date-time"], (2,) * n, told) for told, n in counts.items() if n]

    def grouped(self, indices: Sequence[int], sizes: Sequence[int]) -> list[LikelihoodGroup]:
        """Group neighbouring columns of one layout, which have this many cells, by their likelihood."""
        found: dict[str, list[int]] = {}
        for index, size in zip(indices, sizes, strict=True):
            found.setdefault(self.columns[index].likelihood, []).append(size)
        return [LikelihoodGroup(likelihood, tuple(sizes)) for likelihood, sizes in found.items()]

    def forward(self, raw: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Map numbers (B, R) to cells (B, F) in `dtype`, NaN where a value is missing; see `Scaling.forward`."""
        raw = raw.double()
        values = self.real_values(raw)
        values = torch.where(self.log_constant > 0, logarithmic(values, self.log_constant), values)
        cells = torch.cat(
            [
                (values - self.mean) / self.deviation,
                *(calendar.direction(self.days(raw, index), cycle) for index, cycle in self.calendar_cells),
                raw[:, [self.places[index] for index in self.flags]],
                self.blocks(raw[:, [self.places[index] for index in self.named]]),
                raw[:, [self.places[index] for index in self.counted]],
            ],
            dim=1,
        ).to(dtype)
        return cells if out is None else copied(cells, out)

    def real_values(self, raw: Tensor) -> Tensor:
        """Return the values of the real columns, (B, real), from the numbers (B, R) that hold them."""
        return raw[:, self.high_place] * self.high + raw[:, self.low_place] * self.low

    def days(self, raw: Tensor, index: int) -> Tensor:
        """Return the times of a column in days since 1970, (B, 1), from numbers (B, R)."""
        place, ticks = self.places[index], self.columns[index].ticks
        return raw[:, place : place + 1] + raw[:, place + 1 : place + 2] / ticks

    def blocks(self, codes: Tensor) -> Tensor:
        """Return codes (B, named) as blocks of zeros and a one, (B, cells); blocks of NaN where the code is NaN."""
        missing = torch.isnan(codes)
        found = torch.zeros(len(codes), len(self.code_of_cell), dtype=torch.float64, device=codes.device)
        if not len(self.code_of_cell):
            return found
        filled = torch.where(missing, 0, codes).long()
        cells = self.cell_of_code[torch.arange(len(self.cell_of_code), device=codes.device), filled]
        found.scatter_(1, cells, 1.0)
        if missing.any():
            lengths = torch.tensor(self.block_sizes, device=codes.device)
            found[missing.repeat_interleave(lengths, dim=1)] = torch.nan
        return found

    def inverse(self, x: Tensor, rounded: bool = True, near: Tensor | None = None) -> Tensor:
        """Map cells (B, F), such as a likelihood's means, to the numbers (B, R) of values that occur, float64.

        Real values are rounded as the values of their columns are, if `rounded`; counts always are. No value leaves the
        range of its column. Categories and booleans become the most probable ones. Times of which only the calendar is
        known are missing, or become the times next to those of `near`, numbers (B, R), that have the place in the
        calendar.
        """
        x = x.double()
        raw = x.new_full((len(x), self.numbers), torch.nan)
        sizes = [len(self.real), 2 * len(self.calendar_cells), len(self.flags), sum(self.block_sizes)]
        real, directions, flags, named, counted = x.split([*sizes, len(self.counted)], dim=1)
        self.write_values(raw, self.values(real, rounded))
        if near is not None:
            self.write_times(raw, directions, near.double())
        raw[:, [self.places[index] for index in self.flags]] = torch.where(
            flags.isnan(), flags, (flags >= 0.5).double()
        )
        self.write_categories(raw, named)
        smallest = counted.new_tensor([self.columns[index].smallest for index in self.counted])
        largest = counted.new_tensor([self.columns[index].largest for index in self.counted])
        raw[:, [self.places[index] for index in self.counted]] = counted.round().clamp(smallest, largest)
        return raw

    def values(self, scaled: Tensor, rounded: bool) -> Tensor:
        """Return real values in their own units, within the range of their columns, from scaled ones (B, real)."""
        linear = scaled.double() * self.deviation + self.mean
        values = torch.where(self.log_constant > 0, exponential(linear, self.log_constant), linear)
        grid = self.step / torch.where(self.is_time, self.ticks, 1.0)
        if rounded:
            grid = torch.where(grid > 0, grid, 1.0)
            # Counting whole numbers of steps per unit: 100 is exact where 0.01 is not.
            parts = torch.where(grid < 1, (1 / grid).round(), 1 / grid)
            values = torch.where(self.step > 0, (values * parts).round() / parts, values)
        return torch.minimum(torch.maximum(values, self.smallest), self.largest)

    def write_times(self, raw: Tensor, directions: Tensor, near: Tensor) -> None:
        """Write the times next to those of numbers `near` that lie in these directions (B, cells), into raw (B, R)."""
        pairs = directions.split(2, 1)
        for index in self.laid_out("date-time"):
            days = self.days(near, index)[:, 0]
            for (of, cycle), expected in reversed(list(zip(self.calendar_cells, pairs, strict=True))):
                days = calendar.moved(days, cycle, expected) if of == index else days
            self.write_time(raw, index, days)

    def write_time(self, raw: Tensor, index: int, days: Tensor) -> None:
        """Write times or durations (B,), in days, as the numbers that hold them, into raw (B, R)."""
        column, place = self.columns[index], self.places[index]
        day, step = torch.floor(days), max(column.step, 1.0)
        rest = ((days - day) * column.ticks / step).round() * step
        raw[:, place], raw[:, place + 1] = day + rest // column.ticks, rest % column.ticks

    def write_values(self, raw: Tensor, values: Tensor) -> None:
        """Write real values (B, real) as the numbers that hold them, into raw (B, R)."""
        for place, index in enumerate(self.real):
            column, at = self.columns[index], self.places[index]
            value = values[:, place]
            if not column.wide:
                raw[:, at] = value
            elif column.sort in ("time", "duration"):
                self.write_time(raw, index, value)
            else:
                whole = value.round()
                raw[:, at], raw[:, at + 1] = torch.floor(whole / 2**32), torch.remainder(whole, 2**32)

    def write_categories(self, raw: Tensor, blocks: Tensor) -> None:
        """Write the codes of the most probable categories of blocks (B, cells) into raw (B, R)."""
        codes = self.code_of_cell.split(self.block_sizes)
        for index, block, own in zip(self.named, blocks.split(self.block_sizes, 1), codes, strict=True):
            likeliest = torch.where(torch.isnan(own), -torch.inf, block).argmax(1)
            raw[:, self.places[index]] = torch.where(block[:, 0].isnan(), torch.nan, own[likeliest])

    def by_column(self, values: Tensor) -> Tensor:
        """Sum the values of cells, (B, F), over the cells of each column, (B, columns)."""
        return values.new_zeros(len(values), len(self.columns)).index_add(
            1, self.feature_group.to(values.device), values
        )

    def log_derivatives(self, x: Tensor) -> Tensor:
        """Return log |dx/dv| of each cell x (B, F); 0 for missing cells and for cells that have no density."""
        found = torch.zeros_like(x, dtype=torch.float64)
        real = len(self.real)
        mean, deviation, constant = (t.to(x.device) for t in (self.mean, self.deviation, self.log_constant))
        linear = x[:, :real].double() * deviation + mean
        # y = log(1 + v/c): dy/dv = 1/(c + |v|) = e^{-|y|}/c.
        of_log = torch.where(constant > 0, -linear.abs() - torch.where(constant > 0, constant, 1.0).log(), 0.0)
        found[:, :real] = torch.where(linear.isnan(), 0.0, of_log - deviation.log())
        return found


def table_likelihood(scaling: TableScaling) -> Mixed:
    """Return the likelihood of a table's cells: each group has the likelihood that is registered by its name.

    Raises
    ------
    ValueError
        If a column has a likelihood that is not registered.
    """
    groups = scaling.likelihood_groups
    return Mixed(
        tuple(group_likelihood(group) for group in groups),
        tuple(sum(group.sizes) for group in groups),
        tuple(scaling.feature_group.tolist()),
        tuple(group.scored for group in groups),
    )


def group_likelihood(group: LikelihoodGroup) -> Likelihood:
    """Return the likelihood of a group of cells."""
    registered = column_likelihoods()
    refuse_unknown("likelihood of a column", group.likelihood, registered)
    return cast(ColumnLikelihood, registered[group.likelihood].kind).for_columns(group.sizes)


def kept(numbers: Sequence[float]) -> nn.Buffer:
    """Return numbers as float64 that move with their module but are not saved: they are rebuilt from the columns."""
    return nn.Buffer(torch.tensor(numbers, dtype=torch.float64), persistent=False)


def logarithmic(values: Tensor, constant: Tensor) -> Tensor:
    """Return sign(v) log(1 + |v|/c).

    >>> logarithmic(torch.tensor([0.0, -2.0]), torch.tensor(2.0))
    tensor([ 0.0000, -0.6931])
    """
    return torch.sign(values) * torch.log1p(values.abs() / torch.where(constant > 0, constant, 1.0))


def exponential(logs: Tensor, constant: Tensor) -> Tensor:
    """Return sign(y) c (e^|y| - 1), the inverse of `logarithmic`."""
    return torch.sign(logs) * constant * torch.expm1(logs.abs())
