"""From rows to a trained ensemble of methods, and the drawing of rows for it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
import torch

from isthmus.data.chunks import ChunkedTable
from isthmus.tasks.anomaly.choice import METHODS
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.mahalanobis import robust_linear
from isthmus.tasks.anomaly.reasons import MOST_CELLS, Reasons
from isthmus.tasks.anomaly.scorer import Training

MOST = 50_000
"""Rows at most that are looked at in training, drawn at random."""
MANY, MOST_HELD = 1000, 2000
"""Rows from which on some are held out to calibrate, and how many at most."""
FOLDS = 5
"""Parts of fewer rows, each of which is held out once."""


def drawn(table: Any, rng: np.random.Generator) -> Any:
    """Return at most `MOST` rows of a table in random order: an array (m, R), or CSR."""
    chosen = rng.permutation(table.shape[0])[:MOST]
    if isinstance(table, ChunkedTable):
        return table.index_select(0, torch.from_numpy(chosen)).numpy()
    return table[chosen]


def ensemble(names: Sequence[str], training: Training) -> Ensemble:
    """Train methods and put their scores on one scale."""
    return Ensemble([METHODS[name](training) for name in names], training.numbers)


def reasons(trained: Ensemble, training: Training) -> Reasons:
    """Return what explains the scores of an ensemble that was trained on this."""
    if scipy.sparse.issparse(training.numbers):
        return Reasons(trained, training.numbers, None, None)
    linear = robust_linear(training) if training.cells.count <= MOST_CELLS else None
    return Reasons(trained, training.numbers, linear, training.cells.table)


def folds(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each row, (rows,), drawn at random: as good as equally many in each."""
    return rng.permutation(rows) % min(FOLDS, rows // 2)
