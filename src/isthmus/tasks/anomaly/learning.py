"""From rows to a trained ensemble of methods, and the drawing of rows for it."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from isthmus.data.chunks import ChunkedTable
from isthmus.engine import devices
from isthmus.tasks.anomaly.choice import METHODS
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.scorer import Scorer, Training

MOST = 50_000
"""Rows at most that are looked at in training, drawn at random."""
FOLDS = 5


def drawn(table: Any, rng: np.random.Generator) -> Any:
    """Return at most `MOST` rows of a table in random order: an array (m, R), or CSR."""
    chosen = rng.permutation(table.shape[0])[:MOST]
    if isinstance(table, ChunkedTable):
        return table.index_select(0, torch.from_numpy(chosen)).numpy()
    return table[chosen]


def trained(
    names: Sequence[str], numbers: Any, *, contaminated: bool, seed: int, device: str, reader: Any, estimator: Any
) -> Ensemble:
    """Train methods on rows of numbers (n, R) and put their scores on one scale.

    Parameters
    ----------
    names
        Of the methods.
    numbers
        Array or CSR.
    contaminated
        Whether some of the rows may be anomalies.
    seed
        Of the training.
    device
        Where to train.
    reader
        The estimator that knows what the columns are.
    estimator
        What the user gave to be trained, or None.
    """
    training = Training(numbers, contaminated, seed, devices.device(device), reader, estimator)
    members: list[Scorer] = [METHODS[name](training) for name in names]
    return Ensemble(members, numbers)


def folds(rows: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Pass over the places of rows that are held out in turn, each row once."""
    yield from np.array_split(rng.permutation(rows), min(FOLDS, rows // 2))
