"""`Survey`: finds out what each column of a table is, by looking at its rows, all at once or piece by piece."""

from collections.abc import Mapping, Sequence

import numpy as np

from isthmus.core.choices import refuse_unknown
from isthmus.data import numbering
from isthmus.data.column_survey import ColumnSurvey
from isthmus.data.columns import Columns, column_choices
from isthmus.data.fields import Cells, Field, Name


class Survey:
    """Finds out what the columns of a table are.

    Parameters
    ----------
    kinds : mapping
        What the user says about columns, by name: a kind, or the registered name of a likelihood, which stands for the
        kind that it suits.
    numbers : str, optional
        The kind of numbers of which the user says nothing, unless they number the rows; "measured": found by their
        values, but no counts; None: found by their values.

    Attributes
    ----------
    found : list of ColumnSurvey
        One for each column; empty until `look` is called.

    Raises
    ------
    ValueError
        If a kind is unknown.

    Examples
    --------
    >>> survey = Survey({})
    >>> cells = Cells(np.array([1.5, 0.0, 2.5]), np.array([False, True, False]))
    >>> survey.look([Field("x", "float", "float64")], [cells])
    >>> print(survey.columns())
    column  kind  scaling   likelihood  missing
    x       real  standard  gaussian    33.3%
    """

    def __init__(self, kinds: Mapping[Name, str], numbers: str | None = None) -> None:
        for kind in kinds.values():
            refuse_unknown("kind of column", kind, column_choices())
        self.kinds, self.numbers = kinds, numbers
        self.found: list[ColumnSurvey] = []
        self.first_rows: list[list[Cells]] = []
        self.compared = 0

    def look(self, fields: Sequence[Field], columns: Sequence[Cells], weight: np.ndarray | None = None) -> None:
        """Add more rows of the same columns, with weights (n,)."""
        if not self.found:
            names = [field.name for field in fields]
            unknown = [name for name in self.kinds if name not in names]
            if unknown:
                raise ValueError(f"columns= names {unknown[0]!r}, which the table does not have; it has {names[:10]}")
            self.found = [ColumnSurvey(field, self.kinds.get(field.name), self.numbers) for field in fields]
        for survey, field, cells in zip(self.found, fields, columns, strict=True):
            survey.look(field, cells, weight)
        self.keep_first_rows(columns)

    def keep_first_rows(self, columns: Sequence[Cells]) -> None:
        """Keep some rows in which columns can be compared."""
        left = numbering.COMPARED - self.compared
        if left > 0 and columns:
            self.first_rows.append([Cells(*(part[:left].copy() for part in cells)) for cells in columns])
            self.compared += len(self.first_rows[-1][0].missing)

    def columns(self) -> Columns:
        """Return what is known about the columns by now."""
        numbered = self.numbered()
        return Columns(survey.column(place in numbered) for place, survey in enumerate(self.found))

    def numbered(self) -> set[int]:
        """Return the places of the columns that only number the rows, beside others that say more."""
        asked = [place for place, survey in enumerate(self.found) if survey.choice is None and survey.may_number()]
        numbered = {place for place in asked if self.is_numbering(place)}
        others = [survey for place, survey in enumerate(self.found) if place not in numbered]
        return numbered if any(survey.rows > survey.gaps for survey in others) else set()

    def is_numbering(self, place: int) -> bool:
        """Whether a column numbers the rows, and is no measurement by which they are sorted.

        If they are sorted by it and its steps are uneven, no other column may go with it, as a size goes with a price.
        Columns that rise as well, and times, are not asked.
        """
        own = self.found[place].row_order
        if own.is_certain():
            return True
        if not own.is_likely():
            return False
        asked = [k for k, other in enumerate(self.found) if other.field.sort != "time" and other.rows > other.gaps]
        asked = [k for k in asked if k != place and not self.found[k].row_order.rises()]
        cells = self.compared_cells(place)
        values = np.where(cells.missing, np.nan, cells.values.astype(np.float64))
        related = (numbering.goes_with(values, self.found[k].field, self.compared_cells(k)) for k in asked)
        return bool(asked) and not any(related)

    def compared_cells(self, place: int) -> Cells:
        """Return the cells of a column in the rows that were kept to compare columns."""
        pieces = [rows[place] for rows in self.first_rows]
        return Cells(np.concatenate([p.values for p in pieces]), np.concatenate([p.missing for p in pieces]))
