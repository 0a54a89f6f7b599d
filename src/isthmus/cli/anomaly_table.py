"""The table that `isthmus anomalies` writes, and how well known anomalies are found."""

from typing import TYPE_CHECKING

import numpy as np

from isthmus import AnomalyDetector
from isthmus.cli.applying import beside
from isthmus.data import arrow_tables
from isthmus.tasks.anomaly.explanation import Explanation, cells_of
from isthmus.tasks.anomaly.shown import shown

if TYPE_CHECKING:
    import pyarrow

    from isthmus.data.files import DataFile

COLUMNS_NAMED = 3
"""Columns that a reason names."""


def anomaly_table(detector: AnomalyDetector, file: "DataFile", reasons: int) -> tuple["pyarrow.Table", np.ndarray]:
    """Return one row per row of the file, in its order: ids or positions, score, p-value, decision and reasons.

    Parameters
    ----------
    detector
        Fitted.
    file
        The rows.
    reasons
        Number of rows that are explained, those with the highest scores.

    Returns
    -------
    (pyarrow.Table, ndarray of bool)
        The table, and which rows are anomalies.
    """
    pa = arrow_tables.arrow()
    called = detector.predict(file.data) == -1
    columns: dict[str, object] = {} if file.ids is not None else {"row": pa.array(np.arange(len(called)))}
    columns["score"] = pa.array(-detector.score_samples(file.data))
    if detector.calibration_fraction is not None:
        columns["p_value"] = pa.array(detector.pvalues(file.data))
    columns["anomaly"] = pa.array(called)
    because, normal_if = reasons_of(detector, file, min(reasons, len(called)), len(called))
    columns["because"], columns["normal_if"] = pa.array(because, pa.string()), pa.array(normal_if, pa.string())
    return beside(file.ids, pa.table(columns)), called


def reasons_of(
    detector: AnomalyDetector, file: "DataFile", n: int, rows: int
) -> tuple[list[str | None], list[str | None]]:
    """Return for each row why it is odd, and what would make it normal; None for rows that are not explained."""
    because: list[str | None] = [None] * rows
    normal_if: list[str | None] = [None] * rows
    if n:
        found = detector.odd_rows(file.data, n)
        sentences = zip(found.places, reason_lines(found.explanation), found.explanation.normal_if(), strict=True)
        for place, reason, mend in sentences:
            because[int(place)], normal_if[int(place)] = reason, mend
    return because, normal_if


def reason_lines(explanation: Explanation) -> list[str]:
    """Return for each row the columns that contribute most, with what was seen and expected."""
    seen, expected = cells_of(explanation.seen), cells_of(explanation.expected)
    return [
        "; ".join(
            f"{explanation.names[column]} {shown(seen[column][row])} (expected {shown(expected[column][row])})"
            for column in columns
            if explanation.contributions[row, column] > 0
        )
        for row, columns in enumerate(explanation.order(COLUMNS_NAMED))
    ]


def oddest_lines(detector: AnomalyDetector, file: "DataFile", n: int) -> str:
    """Return the oddest rows, one line each, with the reasons."""
    found = detector.odd_rows(file.data, min(n, file.rows))
    lines = reason_lines(found.explanation)
    return "\n".join(
        f"  {name_of(file, int(place))}: score {score:.2f}: {line}"
        for place, score, line in zip(found.places, found.explanation.scores, lines, strict=True)
    )


def row_labels(file: "DataFile") -> np.ndarray | None:
    """Return what to call the rows, (n,) text; None if there is no column that names them."""
    if file.ids is None:
        return None
    columns = [map(str, column.to_pylist()) for column in file.ids.columns]
    return np.array([", ".join(cells) for cells in zip(*columns, strict=True)], dtype=object)


def name_of(file: "DataFile", place: int) -> str:
    """Return what to call a row: its ids, or its position."""
    if file.ids is None:
        return f"row {place}"
    return ", ".join(str(value) for value in file.ids.slice(place, 1).to_pylist()[0].values())


def oddest(table: "pyarrow.Table", top: int | None) -> "pyarrow.Table":
    """Return the rows with the highest scores, the highest first; all in their order if `top` is None."""
    if top is None:
        return table
    order = np.argsort(-table.column("score").to_numpy(), kind="stable")[:top]
    return table.take(arrow_tables.arrow().array(order))


def quality(table: "pyarrow.Table", target: "pyarrow.ChunkedArray | np.ndarray") -> dict[str, object]:
    """Return AUROC and average precision of the scores against labels, rows without a label left out.

    Raises
    ------
    ValueError
        If the labels are not of two values, of which the rarer one stands for anomalies.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels = np.asarray(target.to_pylist() if not isinstance(target, np.ndarray) else target.tolist(), dtype=object)
    known = np.array([label is not None and label == label for label in labels])
    values, counts = np.unique(labels[known].astype(str), return_counts=True)
    if len(values) != 2:
        raise ValueError(
            f"--target must be a column of two values, normal and anomaly; it has {len(values)}: "
            f"{', '.join(values[:5])}{', ...' if len(values) > 5 else ''}"
        )
    rarer = values[np.argmin(counts)]
    truth = labels[known].astype(str) == rarer
    scores = table.column("score").to_numpy()[known]
    return {
        "anomaly_label": str(rarer),
        "known_anomalies": int(truth.sum()),
        "auroc": float(roc_auc_score(truth, scores)),
        "average_precision": float(average_precision_score(truth, scores)),
    }
