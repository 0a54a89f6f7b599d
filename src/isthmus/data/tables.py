"""`TableScaling`: from the numbers of a table's columns to what a network sees, and back, a batch at a time.

The cells of the network stand in groups, each with one likelihood: real values, times' places in the calendar,
booleans, categories as zeros and a one, counts. What is missing is NaN there too.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isthmus.data.columns import Column
from isthmus.data.scaling import copied

YEAR = 365.2425
CYCLES = {"day": 1.0, "week": 7.0, "year": YEAR}
"""Days of each cycle of the calendar."""
GROUPS = ("gaussian", "student_t", "calendar", "bernoulli", "categorical", "poisson", "negative_binomial")
"""In this order the network's cells stand; "calendar" are sines and cosines, which are learned but not scored."""


class TableScaling(nn.Module):
    """Brings the numbers (B, R) of columns to a network's cells (B, F), and back.

    Parameters
    ----------
    columns
        What is known of the columns.

    Attributes
    ----------
    groups : list of (str, tuple of int)
        Which likelihood the cells have, group by group, and how many cells each column has in it.
    feature_group : Tensor of shape (F,)
        Which column each cell belongs to.
    scored : Tensor of shape (F,)
        Whether its likelihood counts for the row's score.
    """

    mean: Tensor
    deviation: Tensor
    bend: Tensor
    smallest: Tensor
    largest: Tensor
    step: Tensor
    high: Tensor
    low: Tensor
    first: Tensor
    second: Tensor
    ticks: Tensor
    times: Tensor
    blocks: Tensor
    codes: Tensor

    shifted = True
    common = None

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.places = []
        start = 0
        for column in columns:
            self.places.append(start)
            start += column.numbers
        self.numbers = start
        real = self.members("gaussian") + self.members("student_t")
        timed = [(index, cycle) for index, column in enumerate(columns) for cycle in column.cycles]
        flags, named = self.members("bernoulli"), self.members("categorical")
        counted = self.members("poisson") + self.members("negative_binomial")
        self.real, self.timed, self.flags, self.named, self.counted = real, timed, flags, named, counted
        sizes = [len(columns[index].shares) for index in named]
        self.sizes = sizes
        feature_group = [*real, *(index for index, _ in timed for _ in range(2)), *flags]
        feature_group += [index for index, size in zip(named, sizes, strict=True) for _ in range(size)]
        feature_group += counted
        self.feature_group = torch.tensor(feature_group, dtype=torch.long)
        self.cells = len(feature_group)
        self.scored = torch.ones(len(feature_group), dtype=torch.bool)
        self.scored[len(real) : len(real) + 2 * len(timed)] = False
        self.numeric_tables(real)
        self.level_tables(named, sizes)

    def members(self, likelihood: str) -> list[int]:
        """Return the columns of that likelihood."""
        return [index for index, column in enumerate(self.columns) if column.likelihood == likelihood]

    def numeric_tables(self, real: list[int]) -> None:
        """Lay out what is known of real columns as tensors."""

        def of(name: str) -> Tensor:
            return torch.tensor([float(getattr(self.columns[index], name)) for index in real], dtype=torch.float64)

        self.keep("mean", of("mean"))
        self.keep("deviation", of("deviation"))
        self.keep("bend", of("bend"))
        self.keep("smallest", of("smallest"))
        self.keep("largest", of("largest"))
        self.keep("step", of("step"))
        # The value is high · first number + low · second, in days where it is a time.
        known = [self.columns[index] for index in real]
        timelike = [column.sort in ("time", "duration") for column in known]
        split = zip(known, timelike, strict=True)
        high = [2.0**32 if column.wide and not timed else 1.0 for column, timed in split]
        low = [
            (1 / column.ticks if timed else 1.0) if column.wide else 0.0
            for column, timed in zip(known, timelike, strict=True)
        ]
        self.keep("high", torch.tensor(high, dtype=torch.float64))
        self.keep("low", torch.tensor(low, dtype=torch.float64))
        self.keep("first", torch.tensor([self.places[index] for index in real], dtype=torch.long))
        self.keep(
            "second", torch.tensor([self.places[i] + self.columns[i].numbers - 1 for i in real], dtype=torch.long)
        )
        self.keep("ticks", torch.tensor([float(column.ticks) for column in known], dtype=torch.float64))
        self.keep("times", torch.tensor(timelike, dtype=torch.bool))

    def level_tables(self, named: list[int], sizes: list[int]) -> None:
        """Lay out the cells of categories as tensors."""
        most = max([len(self.columns[index].places) for index in named], default=0)
        cells = torch.zeros(len(named), most, dtype=torch.long)
        codes = torch.zeros(sum(sizes), dtype=torch.float64)
        begin = 0
        for row, (index, size) in enumerate(zip(named, sizes, strict=True)):
            places = torch.tensor(self.columns[index].places)
            cells[row, : len(places)] = places + begin
            # The first category of a cell stands for it; one of unknown categories only has none.
            codes[begin : begin + size] = torch.nan
            for code in reversed(range(len(places) - 1)):
                codes[begin + int(places[code])] = code
            begin += size
        self.keep("blocks", cells)
        self.keep("codes", codes)

    def keep(self, name: str, tensor: Tensor) -> None:
        """Hold a tensor that goes where the module goes and is made from the columns when it is loaded."""
        self.register_buffer(name, tensor, persistent=False)

    def refresh(self) -> None:
        """Do nothing: all is known when it is made."""

    @property
    def groups(self) -> list[tuple[str, tuple[int, ...]]]:
        """Which likelihood the cells have, and how many cells each column has, group by group."""
        many = {
            "gaussian": (1,) * len(self.members("gaussian")),
            "student_t": (1,) * len(self.members("student_t")),
            "calendar": (2,) * len(self.timed),
            "bernoulli": (1,) * len(self.flags),
            "categorical": tuple(self.sizes),
            "poisson": (1,) * len(self.members("poisson")),
            "negative_binomial": (1,) * len(self.members("negative_binomial")),
        }
        return [(name, many[name]) for name in GROUPS if many[name]]

    def forward(self, raw: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Numbers (B, R) to cells (B, F) in `dtype`, NaN where a value is missing; written to `out`, if given."""
        raw = raw.double()
        values = raw[:, self.first] * self.high + raw[:, self.second] * self.low
        bent = torch.where(self.bend > 0, logarithmic(values, self.bend), values)
        cells = torch.cat(
            [
                (bent - self.mean) / self.deviation,
                *(self.calendar(raw, index, cycle) for index, cycle in self.timed),
                raw[:, [self.places[index] for index in self.flags]],
                self.levels(raw[:, [self.places[index] for index in self.named]]),
                raw[:, [self.places[index] for index in self.counted]],
            ],
            dim=1,
        ).to(dtype)
        return cells if out is None else copied(cells, out)

    def calendar(self, raw: Tensor, index: int, cycle: str) -> Tensor:
        """Return sine and cosine of a time's place in a cycle, (B, 2)."""
        place = self.places[index]
        days = raw[:, place : place + 1] + raw[:, place + 1 : place + 2] / self.columns[index].ticks
        # 1970 began on a Thursday, and weeks on Mondays.
        angle = 2 * math.pi * torch.remainder(days + (3 if cycle == "week" else 0), CYCLES[cycle]) / CYCLES[cycle]
        return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)

    def levels(self, codes: Tensor) -> Tensor:
        """Return codes (B, columns) as blocks of zeros and a one, (B, cells); of NaN where the code is NaN."""
        missing = torch.isnan(codes)
        found = torch.zeros(len(codes), len(self.codes), dtype=torch.float64, device=codes.device)
        if not len(self.codes):
            return found
        filled = torch.where(missing, 0, codes).long()
        cells = self.blocks[torch.arange(len(self.blocks), device=codes.device), filled]
        found.scatter_(1, cells, 1.0)
        if missing.any():
            lengths = torch.tensor(self.sizes, device=codes.device)
            found[missing.repeat_interleave(lengths, dim=1)] = torch.nan
        return found

    def inverse(self, cells: Tensor, rounded: bool = True) -> Tensor:
        """Cells (B, F), as a likelihood has their means, to the numbers (B, R) of values that occur.

        Values are rounded as the column's are, if asked for, and end where they end; categories and booleans are the
        likeliest.
        """
        cells = cells.double()
        raw = cells.new_full((len(cells), self.numbers), torch.nan)
        real = len(self.real)
        self.write_values(raw, self.values(cells[:, :real], rounded))
        start = real + 2 * len(self.timed)
        flags = cells[:, start : start + len(self.flags)]
        raw[:, [self.places[index] for index in self.flags]] = torch.where(
            flags.isnan(), flags, (flags >= 0.5).double()
        )
        start += len(self.flags)
        begin = 0
        for index, block in zip(
            self.named, cells[:, start : start + sum(self.sizes)].split(self.sizes, 1), strict=True
        ):
            codes = self.codes[begin : begin + block.shape[1]]
            begin += block.shape[1]
            likeliest = torch.where(torch.isnan(codes), -torch.inf, block).argmax(1)
            raw[:, self.places[index]] = torch.where(block[:, 0].isnan(), torch.nan, codes[likeliest])
        counts = cells[:, start + sum(self.sizes) :]
        least, most = ([getattr(self.columns[i], end) for i in self.counted] for end in ("smallest", "largest"))
        raw[:, [self.places[index] for index in self.counted]] = counts.round().clamp(
            counts.new_tensor(least), counts.new_tensor(most)
        )
        return raw

    def values(self, scaled: Tensor, rounded: bool) -> Tensor:
        """Return real values in their own units, within what occurs, from scaled ones (B, real)."""
        bent = scaled.double() * self.deviation + self.mean
        values = torch.where(self.bend > 0, exponential(bent, self.bend), bent)
        grid = self.step / torch.where(self.times, self.ticks, 1.0)
        if rounded:
            grid = torch.where(grid > 0, grid, 1.0)
            # By whole numbers to the unit, which are exact where 0.01 is not.
            parts = torch.where(grid < 1, (1 / grid).round(), 1 / grid)
            values = torch.where(self.step > 0, (values * parts).round() / parts, values)
        return torch.minimum(torch.maximum(values, self.smallest), self.largest)

    def write_values(self, raw: Tensor, values: Tensor) -> None:
        """Write real values (B, real) as the numbers that hold them, into raw (B, R)."""
        for place, index in enumerate(self.real):
            column, at = self.columns[index], self.places[index]
            value = values[:, place]
            if not column.wide:
                raw[:, at] = value
            elif column.sort in ("time", "duration"):
                day = torch.floor(value)
                step = max(column.step, 1.0)
                rest = ((value - day) * column.ticks / step).round() * step
                raw[:, at], raw[:, at + 1] = day + rest // column.ticks, rest % column.ticks
            else:
                whole = value.round()
                raw[:, at], raw[:, at + 1] = torch.floor(whole / 2**32), torch.remainder(whole, 2**32)

    def log_slopes(self, cells: Tensor) -> Tensor:
        """Return log |dx/dv| of each cell x (B, F) over the value v in its own units; 0 for what has no density."""
        slopes = torch.zeros_like(cells, dtype=torch.float64)
        real = len(self.real)
        bent = cells[:, :real].double() * self.deviation + self.mean
        # x = log(1 + v/c): dx/dv = 1/(c + |v|) = e^{-|x|}/c.
        curve = torch.where(self.bend > 0, -bent.abs() - torch.where(self.bend > 0, self.bend, 1.0).log(), 0.0)
        slopes[:, :real] = torch.where(bent.isnan(), 0.0, curve - self.deviation.log())
        return slopes


def logarithmic(values: Tensor, bend: Tensor) -> Tensor:
    """Return sign(v) log(1 + |v|/c)."""
    return torch.sign(values) * torch.log1p(values.abs() / torch.where(bend > 0, bend, 1.0))


def exponential(logs: Tensor, bend: Tensor) -> Tensor:
    """Undo `logarithmic`."""
    return torch.sign(logs) * bend * torch.expm1(logs.abs())
