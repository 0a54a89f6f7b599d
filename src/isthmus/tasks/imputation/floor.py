"""`ImputationFloor`: which column is filled by what, and what each method would have cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.core.text_tables import html_text_table, text_table
from isthmus.data.fields import Name


@dataclass(frozen=True)
class ColumnFloor:
    """What fills a column.

    Parameters
    ----------
    name : hashable
        The column.
    measure : str
        What errors are: "sd" (root mean squared error in standard deviations of the column) or "wrong" (share of cells
        that get another value).
    cells : int
        Hidden cells that the errors were measured on.
    error : float
        Error of what fills the column.
    errors : mapping
        Error of every method alone, by name.
    weights : mapping
        Share of each method in what fills the column, by name; those with none are left out.
    """

    name: Name
    measure: str
    cells: int
    error: float
    errors: Mapping[str, float]
    weights: Mapping[str, float]

    @property
    def filled_by(self) -> str:
        """The methods that fill the column, in words.

        >>> ColumnFloor("x", "sd", 9, 0.5, {}, {"gaussian": 0.75, "trees": 0.25}).filled_by
        'gaussian 75 %, trees 25 %'
        """
        if len(self.weights) == 1:
            return next(iter(self.weights))
        ordered = sorted(self.weights.items(), key=lambda pair: -pair[1])
        return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in ordered)


class ImputationFloor(tuple[ColumnFloor, ...]):
    """Which column is filled by what, and the errors of all methods on hidden cells; printed as a table."""

    def lines(self) -> list[tuple[str, ...]]:
        """Return the printed table: a line of headings, then a line for each column."""
        methods = list(dict.fromkeys(method for column in self for method in column.errors))
        lines: list[tuple[str, ...]] = [("column", "measure", "cells", "error", *methods, "filled by")]
        for column in self:
            errors = [f"{column.errors[name]:.3f}" if name in column.errors else "" for name in methods]
            error = "" if column.error != column.error else f"{column.error:.3f}"
            lines.append((str(column.name), column.measure, str(column.cells), error, *errors, column.filled_by))
        return lines

    def __repr__(self) -> str:
        return text_table(self.lines())

    def _repr_html_(self) -> str:
        return html_text_table(self.lines())
