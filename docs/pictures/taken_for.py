"""Draw docs/taken-for.png: the first rows of a frame, what each column is taken for, and its cells.

python docs/pictures/taken_for.py FILE.png
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from isthmus import AutoEncoder
from isthmus.data.reading import read_table
from isthmus.data.tables import TableScaling

ROWS, SHOWN = 400, 4
COLOURS = {
    "real": "#4477aa",
    "positive": "#228833",
    "count": "#66ccee",
    "boolean": "#ccbb44",
    "category": "#aa3377",
    "ordinal": "#997700",
    "date-time": "#ee6677",
    "ignored": "#999999",
}
WORDS = {
    "customer": "numbers the rows",
    "note": "each text occurs once",
    "amount": "text that reads as numbers",
    "since": "a time",
    "grade": "an ordered type",
    "age": "numbers",
    "income": "skewed numbers",
    "visits": "small whole numbers; the network takes log(1 + x)",
    "member": "two values",
    "town": "repeated texts",
}


def frame() -> pd.DataFrame:
    """Return a table with one column of every kind, with gaps."""
    rng = np.random.default_rng(1)
    age = rng.normal(45, 12, ROWS).round()
    income = np.exp(7 + age / 40 + rng.normal(0, 0.9, ROWS)).round(2)
    towns = rng.choice(["Arles", "Lille", "Metz", "Nice"], ROWS, p=[0.4, 0.3, 0.2, 0.1]).astype(object)
    towns[rng.random(ROWS) < 0.12] = None
    income[rng.random(ROWS) < 0.1] = np.nan
    income[1], towns[2] = np.nan, None
    grades = pd.Categorical.from_codes(rng.integers(3, size=ROWS), ["low", "mid", "high"], ordered=True)
    return pd.DataFrame(
        {
            "customer": np.arange(70001, 70001 + ROWS),
            "age": age,
            "income": income,
            "amount": [f"{value:,.2f} €" for value in rng.normal(2000, 700, ROWS)],
            "visits": rng.poisson(3, ROWS),
            "member": rng.random(ROWS) < 0.6,
            "town": towns,
            "grade": grades,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900 * 24, ROWS), "h"),
            "note": [f"call {rng.integers(1e6)}" for _ in range(ROWS)],
        }
    )


def text(value: object) -> str:
    """Return a cell as a frame prints it."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return "—"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %Hh")
    return f"{value:,.0f}" if isinstance(value, float) and value == round(value) else str(value)


def draw(axes: Axes, table: pd.DataFrame) -> None:
    """Draw one line for each column: name, cells, kind, scaling, and its cells in the first row."""
    with warnings.catch_warnings():
        # What is told of columns that are ignored is what the picture shows.
        warnings.simplefilter("ignore", UserWarning)
        model = AutoEncoder(latent=2, epochs=1, random_state=0).fit(table)
    schema = model.fitted_model().schema
    scaling = TableScaling(schema.columns)
    numbers = read_table(table, schema, caller="the picture").drawn(np.arange(SHOWN))
    cells, owner = scaling(torch.as_tensor(numbers), torch.float64).numpy(), scaling.feature_group.numpy()
    heads = {0.0: "column", 1.25: "first cells, as given", 7.0: "taken for", 8.6: "because, and how it is scaled"}
    heads[12.7] = "cells of the first row"
    for x, head in heads.items():
        axes.text(x, -1.0, head, fontsize=9, color="#666666")
    for line, column in enumerate(schema.columns):
        axes.axhline(line - 0.5, color="#dddddd", lw=0.7)
        axes.text(0, line, str(column.name), va="center", weight="bold", fontsize=9.5)
        for row in range(SHOWN):
            shown = text(table[column.name].iloc[row])
            axes.text(1.25 + 1.43 * row, line, shown, va="center", fontsize=8, family="monospace")
        colour = COLOURS[column.kind]
        axes.add_patch(Rectangle((7.0, line - 0.32), 1.4, 0.64, color=colour, lw=0))
        axes.text(7.7, line, column.kind, va="center", ha="center", color="white", fontsize=9, weight="bold")
        why = [WORDS.get(str(column.name), ""), "" if column.scaling == "none" else column.scaling]
        axes.text(8.6, line, ": ".join(filter(None, dict.fromkeys(why))), va="center", fontsize=8.5)
        draw_cells(axes, line, cells[0, owner == line], colour)
        if column.missing:
            axes.text(17.4, line, f"{column.missing:.0%} missing", va="center", ha="right", fontsize=8, color="#666666")
    axes.set(xlim=(-0.1, 17.5), ylim=(len(schema.columns) - 0.4, -1.4))
    axes.axis("off")


def draw_cells(axes: Axes, line: int, values: np.ndarray, colour: str) -> None:
    """Draw the cells of one column in one row as boxes with their numbers; nothing for an ignored column."""
    if not len(values):
        axes.text(12.7, line, "nothing; comes back as it was", va="center", fontsize=8.5, color="#666666")
    for place, value in enumerate(values):
        box = Rectangle((12.7 + 0.56 * place, line - 0.3), 0.54, 0.6, facecolor="white", edgecolor=colour, lw=1)
        axes.add_patch(box)
        label = "gap" if np.isnan(value) else f"{0.0 + round(value, 2):.2g}".replace("-", "−")
        axes.text(12.97 + 0.56 * place, line, label, va="center", ha="center", fontsize=7)


def main() -> None:
    """Write the picture."""
    table = frame()
    figure, axes = plt.subplots(figsize=(13.5, 0.36 * (table.shape[1] + 2)), layout="constrained")
    draw(axes, table)
    figure.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
