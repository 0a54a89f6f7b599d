"""`LatentCurve`: held-out scores by the size of the code, and the size that is chosen by them."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.engine.axes import axes_over_integers
from isthmus.engine.history import format_cell
from isthmus.engine.html_tables import html_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NEXT_TO_NOTHING = 0.02
"""Share of the gain of the best size over no code that is not worth more numbers."""
COLUMNS = ("latent", "score", "behind", "standard_error")


class LatentCurve:
    """Held-out scores by the size of the code, one row per size, from which `latent="auto"` chose.

    The columns are `latent`, a size; `score`, the mean log-density of held-out rows under a factor analysis of that
    size, in nats per row of scaled cells; `behind`, by how much the best size is better; and `standard_error` of that
    difference, paired over rows. `curve["score"]` is a column, of shape (sizes,); iteration gives one dict per size. In
    a notebook the curve shows itself as a table.

    Attributes
    ----------
    chosen : int
        The least size that is behind the best by no more than one standard error, or a fiftieth of what the best gains
        over no code at all; at least 1.
    best : int
        The size with the best score.
    rows : int
        Rows that were held out, one part after the other.
    parts : int
        Into how many parts the rows were divided; 1 if one part alone was held out.

    Examples
    --------
    >>> curve = LatentCurve([0, 1, 2], [-9.0, -5.0, -4.9], [4.1, 0.1, 0.0], [0.5, 0.2, 0.0], rows=50, parts=5)
    >>> curve.chosen, curve.best, curve["score"].tolist()
    (1, 2, [-9.0, -5.0, -4.9])
    """

    def __init__(
        self,
        latent: list[int],
        score: list[float],
        behind: list[float],
        standard_error: list[float],
        *,
        rows: int,
        parts: int,
    ) -> None:
        columns: tuple[list[Any], ...] = latent, score, behind, standard_error
        self.table = dict(zip(COLUMNS, columns, strict=True))
        self.rows, self.parts = rows, parts

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(COLUMNS)

    def __len__(self) -> int:
        return len(self.table["latent"])

    def __iter__(self) -> Iterator[dict[str, float]]:
        for values in zip(*self.table.values(), strict=True):
            yield dict(zip(COLUMNS, values, strict=True))

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self.table:
            raise KeyError(f"no column {column!r} in the curve; there are {self.columns}")
        return np.array(self.table[column])

    @property
    def best(self) -> int:
        """The size with the best score."""
        return int(self["latent"][np.argmax(self["score"])])

    @property
    def chosen(self) -> int:
        """The least size that is good enough; at least 1."""
        behind = self["behind"]
        near = behind <= np.maximum(self["standard_error"], NEXT_TO_NOTHING * behind[0])
        return max(1, int(self["latent"][near].min()))

    def to_dict(self) -> dict[str, Json]:
        """Return plain lists and numbers, for JSON."""
        return {**{name: list(values) for name, values in self.table.items()}, "rows": self.rows, "parts": self.parts}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return the curve of which `to_dict` returned `plain`."""
        latent = value_of(list[int], plain["latent"], "latent of the curve")
        numbers = [value_of(list[float], plain[name], f"{name} of the curve") for name in COLUMNS[1:]]
        if not latent or {len(latent)} != {len(column) for column in numbers}:
            raise ValueError("the columns of the curve are empty, or of different lengths")
        rows, parts = (value_of(int, plain[name], f"{name} of the curve") for name in ("rows", "parts"))
        return cls(latent, *numbers, rows=rows, parts=parts)

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas DataFrame with one row per size.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame({name: self[name] for name in self.columns})

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Plot the score by the size with matplotlib, the chosen size marked; bars are one standard error to the best.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed; the message names the command that installs it.

        Examples
        --------
        >>> curve = LatentCurve([0, 1, 2], [-9.0, -5.0, -4.9], [4.1, 0.1, 0.0], [0.5, 0.2, 0.0], rows=50, parts=5)
        >>> curve.plot().get_xlabel()
        'size of the code (latent)'
        """
        ax = axes_over_integers(
            ax, "LatentCurve.plot", "size of the code (latent)", "held-out log-density (nats per row)"
        )
        ax.errorbar(self["latent"], self["score"], yerr=self["standard_error"], marker=".", capsize=2)
        ax.axvline(self.chosen, linestyle="--", color="0.4", label=f"chosen: {self.chosen}")
        ax.legend()
        return ax

    def cells(self) -> list[list[str]]:
        """Return the table as text."""
        return [[format_cell(row[name]) for name in COLUMNS] for row in self]

    @property
    def summary(self) -> str:
        """What was chosen and why, in one line."""
        how = f"in {self.parts} parts" if self.parts > 1 else "once"
        return (
            f"latent={self.chosen}: the least size within one standard error, or a fiftieth of the gain, of the best, "
            f"{self.best}, on {self.rows:,} rows held out {how}"
        )

    def __repr__(self) -> str:
        lines = ["  ".join(f"{cell:>14}" for cell in cells) for cells in (self.columns, *self.cells())]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        return f"<div>{html_table(self.columns, self.cells())}<p>{escape(self.summary)}</p></div>"
