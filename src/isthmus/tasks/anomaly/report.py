"""The frame of the oddest rows: scores, p-values, the columns responsible, and what would make each row normal."""

from typing import TYPE_CHECKING

import numpy as np

from isthmus.tasks.anomaly.explanation import Explanation, cells_of, framed

if TYPE_CHECKING:
    import pandas
    import polars


def report(
    explanation: Explanation, rows: np.ndarray, pvalues: np.ndarray | None, k: int
) -> "pandas.DataFrame | polars.DataFrame":
    """Return a frame with a line per explained row: row, score, p_value, normal_if, and k columns, seen and expected.

    Parameters
    ----------
    explanation
        Of n rows.
    rows
        (n,) their positions in the table they come from. The index of a frame of pandas has the labels of the rows, or
        these positions.
    pvalues
        (n,) their p-values, or None.
    k
        Number of columns to name; None stands where fewer are looked at.
    """
    seen, expected = cells_of(explanation.seen), cells_of(explanation.expected)
    lines: dict[str, object] = {"row": rows, "score": explanation.scores}
    if pvalues is not None:
        lines["p_value"] = pvalues
    order = explanation.order(k)
    for place in range(min(k, len(explanation.names))):
        columns = order[:, place] if place < order.shape[1] else [None] * len(order)
        pairs = list(enumerate(columns))
        lines[f"column_{place + 1}"] = [None if j is None else explanation.names[j] for j in columns]
        lines[f"seen_{place + 1}"] = [None if j is None else seen[j][row] for row, j in pairs]
        lines[f"expected_{place + 1}"] = [None if j is None else expected[j][row] for row, j in pairs]
    if explanation.counterfactuals:
        lines["normal_if"] = explanation.normal_if()
    return framed(lines, explanation.seen, rows if explanation.labels is None else explanation.labels)
