"""`Tuning`: what a search has found: a table, a plot, a verdict, and the best estimator fitted to all rows."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator

from isthmus.core.files import atomic_write
from isthmus.core.text_tables import html_text_table, text_table
from isthmus.engine.axes import axes_over_integers
from isthmus.tasks.tuning.dimension import shown
from isthmus.tasks.tuning.trial_plot import trial_plot
from isthmus.tasks.tuning.trial_row import TrialRow, value_of_defaults
from isthmus.tasks.tuning.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHOWN = 25
"""Trials at most that are printed."""
HEADINGS = ("trial", "value", "behind", "± 1 se", "latent", "weights", "seconds", "parameters", "")


class Tuning:
    """What a search has found. It prints as a table and a verdict, and shows itself in a notebook with a plot.

    Attributes
    ----------
    table : list of dict
        One row per trial: `trial`, its number; `state`, "complete", "pruned" or "failed"; `value`, what the objective
        measured; `behind`, by how much its loss is above the best trial's, and `standard_error` of that difference,
        paired over rows; `latent` and `weights`, the size of the model; `seconds`; `parameters`, where it differs from
        the defaults; and a `note`, such as an error.
    chosen, best : int
        The trial that was taken: of those within one standard error of the best, the defaults, or else the one with
        the smallest code and the fewest weights; and the best one.
    verdict : Verdict
        The chosen trial beside the defaults on rows that no trial has seen; prints as a sentence.
    best_params_ : dict
        The parameters in which `best_estimator_` differs from the defaults: none where these stand.
    best_estimator_ : estimator
        Fitted to all rows: the chosen trial's, or the defaults where the verdict says that these stand. `best_` is the
        same.
    tuned_params : dict
        The parameters of the chosen trial, also where the defaults stand.
    objective, measure : str
        By what trials were compared, and what it measures.
    rows : str
        Which rows were held out, in words.
    importance : dict of str to float
        Share of each dimension in the differences between trials, the largest first (PED-ANOVA, Watanabe et al.
        2023); empty with fewer than eight different trials.
    seconds : float
        The time that all trials took together.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    def __init__(
        self,
        table: Sequence[TrialRow],
        chosen: int,
        best: int,
        verdict: Verdict,
        tuned_params: dict[str, object],
        estimator: BaseEstimator,
        *,
        objective: str,
        measure: str,
        rows: str,
        importance: dict[str, float],
        interrupted: bool,
    ) -> None:
        self.table = list(table)
        self.chosen, self.best, self.verdict = chosen, best, verdict
        self.tuned_params = tuned_params
        self.best_params_ = tuned_params if verdict.wins else {}
        self.best_estimator_ = self.best_ = estimator
        self.objective, self.measure, self.rows = objective, measure, rows
        self.importance, self.interrupted = importance, interrupted
        self.seconds = sum(row["seconds"] or 0.0 for row in self.table)

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[TrialRow]:
        return iter(self.table)

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas DataFrame with one row per trial, and a column for each parameter that was searched.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame(self.flat())

    def flat(self) -> list[dict[str, object]]:
        """Return the table with a key for each parameter, in the place of `parameters`."""
        names = dict.fromkeys(name for row in self.table for name in row["parameters"])
        return [
            {key: value for key, value in row.items() if key != "parameters"}
            | {name: row["parameters"].get(name) for name in names}
            for row in self.table
        ]

    @property
    def summary(self) -> str:
        """How the search went, in one line."""
        states = [row["state"] for row in self.table]
        counts = ", ".join(
            f"{states.count(state)} {state}" for state in ("complete", "pruned", "failed") if state in states
        )
        end = "; ended by Ctrl-C" if self.interrupted else ""
        return f"{self.measure}; {len(self.table)} trials ({counts}) in {self.seconds:.1f} s{end}; {self.rows}"

    def cells(self) -> list[tuple[str, ...]]:
        """Return the table as text, headings first: the best trial first, those without a value last."""
        rows = sorted(self.table, key=lambda row: (row["behind"] is None, row["behind"] or 0.0))
        lines = [HEADINGS, *(self.line(row) for row in rows[:SHOWN])]
        if len(rows) > SHOWN:
            lines.append(("...", *[""] * (len(HEADINGS) - 2), f"and {len(rows) - SHOWN} more"))
        return lines

    def line(self, row: TrialRow) -> tuple[str, ...]:
        """Return one row of the table as text."""
        known = (row["value"], row["behind"], row["standard_error"], row["latent"], row["weights"])
        words = ", ".join(f"{name}={shown(value)}" for name, value in row["parameters"].items())
        note = [row["note"]] if row["note"] else []
        note += ["chosen"] if row["trial"] == self.chosen else []
        note += [row["state"]] if row["state"] != "complete" else []
        return (str(row["trial"]), *map(short, known), short(row["seconds"], ".1f"), words, "; ".join(note))

    def __repr__(self) -> str:
        return "\n".join([text_table(self.cells()), self.summary, str(self.verdict)])

    def _repr_html_(self) -> str:
        return (
            f"<div><p>{escape(str(self.verdict))}</p>{self.svg()}{html_text_table(self.cells())}"
            f"<p>{escape(self.summary)}</p>{self.importance_html()}</div>"
        )

    def importance_html(self) -> str:
        """Return the importance of the dimensions as HTML; "" if it is not known."""
        if not self.importance:
            return ""
        lines = [("parameter", "importance"), *((name, f"{share:.2f}") for name, share in self.importance.items())]
        return html_text_table(lines)

    def svg(self) -> str:
        """Return the plot as an SVG element."""
        return trial_plot(self.table, self.chosen, self.measure)

    def to_html(self, path: str | Path) -> Path:
        """Write verdict, plot and table to one page of HTML that needs nothing else; return its path.

        Raises
        ------
        OSError
            If the file cannot be written; what was at `path` is still there.
        """
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>isthmus: tuning</title>'
            '<meta name="viewport" content="width=device-width"><style>:root{color-scheme:light dark}'
            "body{font-family:sans-serif;margin:1em;overflow-x:auto}td,th{padding:.2em .6em;text-align:left}</style>"
            f"</head><body><h1>Tuning</h1>{self._repr_html_()}</body></html>"
        )
        with atomic_write(Path(path)) as temporary:
            temporary.write_text(page, encoding="utf-8")
        return Path(path)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Plot the value of every completed trial with matplotlib; bars are one standard error to the best trial.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to draw on; by default those of a new figure.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed; the message names the command that installs it.
        """
        ax = axes_over_integers(ax, "Tuning.plot", "trial", self.measure)
        complete = [row for row in self.table if row["state"] == "complete"]
        numbers = [row["trial"] for row in complete]
        values = [row["value"] or 0.0 for row in complete]
        errors = [row["standard_error"] or 0.0 for row in complete]
        ax.errorbar(numbers, values, yerr=errors, fmt="o", capsize=2, label="trials")
        ax.plot([self.chosen], [values[numbers.index(self.chosen)]], "D", color="#d55e00", label="chosen")
        ax.axhline(value_of_defaults(self.table), linestyle="--", color="0.4", label="defaults")
        ax.legend()
        return ax


def short(value: object, form: str = ".4g") -> str:
    """Return a number as text; "" for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else format(value, form)
