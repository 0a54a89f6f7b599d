"""What rules look at: rows of a table taken apart into columns, and the table as a fit would read it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse

from isthmus.data.columns import Column
from isthmus.data.fields import Cells, Field, Name
from isthmus.data.scaling import ScaleChoice

FEW_LEVELS = 20
"""Whole numbers of at most so many different values may be classes."""


@dataclass(frozen=True)
class ColumnSample:
    """A column in the rows that are looked at."""

    field: Field
    """What is known of its type; of text that is numbers or dates, as it is read."""
    cells: Cells
    """Its values, as they are read."""
    texts: Cells | None
    """Its texts as they came, if they are read as numbers or dates."""
    column: Column | None
    """What a fit takes it for; None if that is not known, or where all columns are numbers of one likelihood."""

    @property
    def name(self) -> Name:
        """Its name; the position of a column of an array."""
        return self.field.name

    @property
    def ignored(self) -> bool:
        """Whether a fit would not learn from it."""
        return self.column is not None and self.column.kind == "ignored"

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers or booleans."""
        return self.field.sort in ("float", "integer", "boolean")

    @property
    def is_words(self) -> bool:
        """Whether it holds text or categories, as it is read."""
        return self.field.sort in ("text", "category")

    @cached_property
    def values(self) -> np.ndarray:
        """The values as numbers, (n,) float64, NaN where missing; times in days, words as their codes."""
        if self.is_words:
            return np.where(self.codes < 0, np.nan, self.codes.astype(np.float64))
        if self.field.sort == "nothing":
            return np.full(len(self.cells.missing), np.nan)
        return np.where(self.cells.missing, np.nan, self.field.to_floats(self.cells.values))

    @cached_property
    def present(self) -> np.ndarray:
        """The finite values, in their order."""
        return self.values[np.isfinite(self.values)]

    @cached_property
    def ordered(self) -> np.ndarray:
        """The finite values by size."""
        return np.sort(self.present)

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        if self.is_words:
            return len(self.levels)
        return int((np.diff(self.ordered) > 0).sum()) + (len(self.ordered) > 0)

    @cached_property
    def _coded(self) -> tuple[np.ndarray, list[object]]:
        if not self.is_words:
            levels, codes = np.unique(self.values, return_inverse=True)
            missing = np.isnan(levels)
            return np.where(missing[codes], -1, codes), levels[~missing].tolist()
        known: dict[object, int] = {}
        codes = np.fromiter(
            (known.setdefault(value, len(known)) for value in self.cells.values.tolist()),
            np.int64,
            len(self.cells.values),
        )
        if not self.cells.missing.any():
            return codes, list(known)
        kept = [level for level, code in known.items() if not self.cells.missing[codes == code][0]]
        new = {level: place for place, level in enumerate(kept)}
        renumbered = np.array([new.get(level, -1) for level in known], dtype=np.int64)
        return np.where(self.cells.missing, -1, renumbered[codes]), kept

    @property
    def codes(self) -> np.ndarray:
        """Which of the levels each cell holds, (n,) int64; -1 where it is missing."""
        return self._coded[0]

    @property
    def levels(self) -> list[object]:
        """The different values."""
        return self._coded[1]

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each level occurs, (levels,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    @cached_property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.is_number and len(self.present) > 0 and bool((self.present == np.round(self.present)).all())

    @cached_property
    def spread(self) -> float:
        """The interquartile range as a standard deviation of a normal distribution; 0 where half of the cells agree."""
        if not len(self.ordered):
            return 0.0
        low, high = np.quantile(self.ordered, [0.25, 0.75])
        return float(high - low) / 1.349


@dataclass(frozen=True)
class Refusal:
    """A column that cannot be read, and why."""

    name: Name
    why: str


@dataclass(frozen=True)
class TableSample:
    """A table as a fit would read it, and some or all of its rows."""

    rows: int
    """Rows of the table."""
    columns: tuple[ColumnSample, ...]
    """All columns but the target and those that cannot be read, in the rows that are looked at."""
    said: tuple[str, ...] = ()
    """What the reading warned of."""
    refused: str = ""
    """Why a fit would refuse the table; "" if it would not."""
    unreadable: tuple[Refusal, ...] = ()
    target: ColumnSample | None = None
    groups: np.ndarray | None = None
    """(n,) the group of each row, if the user gave groups."""
    latent: int | float | str | None = None
    scale: str = "auto"
    """The scale that the user asks for."""
    chosen: ScaleChoice | None = None
    """The scale that a fit takes for all columns, and why; None where each kind of column has its own."""
    streamed: bool = False
    images: bool = False
    ends: Mapping[Name, tuple[float, float]] = field(default_factory=dict)
    """The least and the greatest value of columns of numbers in all rows of the table, where they are known."""
    places: np.ndarray | None = None
    """(n,) positions of the rows in the table; None: all rows in their order."""

    @property
    def looked_at(self) -> int:
        """How many rows are looked at, n."""
        columns = self.columns or ((self.target,) if self.target is not None else ())
        return len(columns[0].cells.missing) if columns else 0

    @property
    def sampled(self) -> bool:
        """Whether only some of the rows are looked at."""
        return self.looked_at < self.rows

    @property
    def learned(self) -> list[ColumnSample]:
        """The columns that a fit would learn from."""
        return [column for column in self.columns if not column.ignored]

    @property
    def numbers(self) -> list[ColumnSample]:
        """The columns of numbers that a fit would learn from, which have at least two values."""
        return [column for column in self.learned if column.is_number and column.distinct > 1]

    @property
    def one_unit(self) -> bool:
        """Whether all columns are in one unit, such as the grey levels of pixels."""
        return self.chosen is not None and self.chosen.name != "standard" and self.scale == "auto"

    def positions(self, chosen: np.ndarray, most: int = 10) -> tuple[int, ...]:
        """Return the positions in the table of the first rows that are chosen, (n,) bool."""
        found = np.flatnonzero(chosen)[:most]
        return tuple((found if self.places is None else self.places[found]).tolist())


@dataclass(frozen=True)
class SparseSample:
    """A sparse matrix."""

    matrix: scipy.sparse.csr_array
    """(n, F), all rows."""
    refused: str = ""
    said: tuple[str, ...] = ()
    latent: int | float | str | None = None

    @property
    def rows(self) -> int:
        """Rows of the matrix."""
        return int(self.matrix.shape[0])

    @cached_property
    def entries_by_row(self) -> np.ndarray:
        """Entries other than 0 of each row, (n,)."""
        return np.asarray((self.matrix != 0).sum(1)).ravel()

    @cached_property
    def entries_by_column(self) -> np.ndarray:
        """Entries other than 0 of each column, (F,)."""
        return np.asarray((self.matrix != 0).sum(0)).ravel()


def places_of(rows: int, most: int) -> np.ndarray:
    """Return positions of rows to look at, in their order: all, or so many drawn at random, (n,) int64."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def rows_to_look_at(cells: int, least: int, columns: int) -> int:
    """Return how many rows of a table to look at, so that they have about so many cells."""
    return max(least, math.ceil(cells / max(columns, 1)))
