"""`RowOrder`: whether a column only numbers the rows, or tells when each came, so that every later row lies outside."""

from collections.abc import Sequence

import numpy as np

from isthmus.data.clocks import Clock, may_be_clock
from isthmus.data.fields import Name
from isthmus.data.numbering import FIRST_LOOK, LEAST_NUMBERED, Numbering, may_number


class RowOrder:
    """Looks whether a column of numbers says no more of a row than its place among others, piece by piece."""

    def __init__(self) -> None:
        self.numbering, self.clock = Numbering(), Clock()

    def look(self, values: np.ndarray) -> None:
        """Add values (n,), in the order of the rows."""
        self.numbering.look(values)
        self.clock.look(values)

    @property
    def possible(self) -> bool:
        """Whether it can be so by what was seen."""
        return self.numbering.possible or self.clock.possible

    def is_certain(self) -> bool:
        """Whether it is so whatever the other columns hold."""
        return self.numbering.is_certain() or self.clock.is_certain()

    def is_likely(self) -> bool:
        """Whether it is so unless other columns go with this one."""
        return self.numbering.is_likely() or self.clock.is_likely()

    def rises(self) -> bool:
        """Whether the rows are sorted by the column, or nearly so."""
        return self.numbering.rises() or self.clock.rises()

    def why(self, name: Name) -> str:
        """Return in words why a column of this name is ignored, and the calls that have it otherwise."""
        call = f"columns={{{name!r}: 'real'}} learns them"
        if self.clock.is_certain():
            call = f"pandas.to_datetime makes times of them, whose place in the day and week is learned; {call}"
        what = "its numbers rise or fall with the rows, as those of a counter do"
        if self.numbering.is_certain() or self.numbering.is_likely():
            what = "its whole numbers, each there once, number the rows"
        elif self.clock.is_certain():
            what = "its numbers are times"
        return f"{what}, so that every later row would lie outside; {call}"


def ordered_at_first(columns: Sequence[np.ndarray]) -> bool:
    """Whether one of these columns, each (n,), may number the rows or tell when they came, by its first values."""
    firsts = [column[:FIRST_LOOK] for column in columns]
    asked = [first for first in firsts if len(first) > LEAST_NUMBERED and first.dtype.kind in "iuf"]
    # The seconds of our days are beyond the greatest half-precision number.
    return any(may_number(first) or may_be_clock(first.astype(np.float64)) for first in asked)
