"""What the rows that were held out say of a training: that it gave nothing, that they were not held out, and more."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.estimators.floor import Floor
from isthmus.estimators.problem import Problem

MOST_DUPLICATES = 0.1
"""Share of the validation rows that may be equal to rows trained on."""
NOTHING_EXPLAINED = 0.99
"""An error of so large a part of the variance is that of the mean row."""
FEW_ROWS = 10
"""Validation rows from which a comparison says something."""
FEW_COINCIDENCES = 0.01
"""Training rows that may equal a validation row by chance where such rows are taken for copies."""
LOOKED_AT = 1000
"""Rows from which chances are counted."""
MOST_CELLS = 2**26
"""Cells of training rows that are looked through for duplicates."""


def diagnose(rows: Rows, training: Index, validation: Tensor, floor: Floor | None) -> dict[str, float]:
    """Compare the model with its floor, and validation rows with training rows.

    Returns
    -------
    dict
        `gain`: part of the closed form's error that the model does without. `deviance_ratio`: error of the model as a
        part of the variance. `duplicates`: validation rows that equal a training row; where these are many,
        `coincidences`: how many training rows would equal a validation row if columns were independent. Only what
        could be measured.
    """
    if floor is None:
        return {}
    found = {"gain": floor.gain}
    if floor.variance > 0:
        found["deviance_ratio"] = floor.kept_error / floor.variance
    if len(validation) and not rows.table.streamed and not rows.table.sparse:
        some = training[: MOST_CELLS // max(rows.features, 1)]
        found["duplicates"] = float(duplicates(rows, some, validation))
        if found["duplicates"] > MOST_DUPLICATES * len(validation):
            found["coincidences"] = coincidences(rows, some)
    return found


def duplicates(rows: Rows, training: Tensor, validation: Tensor) -> int:
    """Count the validation rows that equal a training row."""
    direction = torch.from_numpy(np.random.default_rng(0).normal(size=rows.features))
    keys = [projected(rows, index, direction) for index in (training, validation)]
    candidates = validation[torch.isin(keys[1], keys[0])]
    same = training[torch.isin(keys[0], keys[1])]
    # Different rows may have one projection.
    seen = {row.numpy().tobytes() for row in rows.table.take(same.to(rows.table.device)).cpu()}
    return sum(row.numpy().tobytes() in seen for row in rows.table.take(candidates.to(rows.table.device)).cpu())


def coincidences(rows: Rows, training: Tensor) -> float:
    """Return how many training rows equal a new row by chance, if columns are independent: n Π Σ p²."""
    some = rows.table.take(training[:LOOKED_AT].to(rows.table.device)).cpu().numpy()
    shares = (np.unique(column, return_counts=True)[1] / len(column) for column in some.T)
    return len(training) * float(np.prod([np.square(share).sum() for share in shares]))


def projected(rows: Rows, index: Tensor, direction: Tensor) -> Tensor:
    """Return the products of rows with a direction, (n,), which are the same for equal rows, bit for bit."""
    found = [
        # Not a matrix product, whose rounding depends on the rows beside a row.
        (rows.table.take(block.to(rows.table.device)).cpu().double() * direction).sum(1)
        for block in index.split(rows.block)
    ]
    return torch.cat(found) if found else torch.empty(0, dtype=torch.float64)


def problems(health: Mapping[str, float], floor: Floor | None) -> Iterable[Problem]:
    """Yield the problems that held-out rows show."""
    if floor is not None and health.get("deviance_ratio", 0.0) >= NOTHING_EXPLAINED:
        yield Problem(
            "mean-row",
            f"the reconstruction says no more than the mean row: held-out error {floor.kept_error:.3g}, variance "
            f"{floor.variance:.3g}",
            "take init='pca', another learning_rate, more epochs or a weaker penalty, or look whether the columns "
            "depend on each other at all",
            health["deviance_ratio"],
        )
    again = int(health.get("duplicates", 0))
    validated = 0 if floor is None else floor.rows
    # Rows of few values are equal by chance, and so will new ones be.
    if 0 < MOST_DUPLICATES * validated < again and health["coincidences"] < FEW_COINCIDENCES:
        yield Problem(
            "validated-on-copies",
            f"{again} of the {validated} validation rows equal rows that were trained on, so that held-out errors are "
            "too small",
            "drop duplicates, or let groups= say which rows belong together",
            again / validated,
        )
    if floor is not None and not floor.folds and 0 < floor.rows < FEW_ROWS:
        yield Problem(
            "few-validation-rows",
            f"only {floor.rows} validation rows (or groups) compare the network with {floor.method}",
            "take validation=0.2 or more",
            floor.rows,
        )
