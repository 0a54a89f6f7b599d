"""Sparse counts."""

import numpy as np
import scipy.sparse

COLUMNS, KEPT, TOPICS = 20_000, 20, 50


def counts(rows: int, columns: int = COLUMNS, kept: int = KEPT, seed: int = 0) -> scipy.sparse.csr_array:
    """Return counts (rows, columns) in float32 with about `kept` of a row not 0: each row has one topic of 50.

    A topic takes three quarters of its words from 200 columns of its own, with falling frequency, the rest from all.
    """
    rng = np.random.default_rng(seed)
    own = rng.integers(0, columns, (TOPICS, min(200, columns)))
    table = np.empty((rows, kept), dtype=np.int32)
    for start in range(0, rows, 2**15):
        part = table[start : start + 2**15]
        topic = rng.integers(0, TOPICS, (len(part), 1))
        drawn = own[topic, (own.shape[1] * rng.random(part.shape) ** 2).astype(np.int32)]
        part[:] = np.where(rng.random(part.shape) < 0.75, drawn, rng.integers(0, columns, part.shape))
    ones = np.ones(rows * kept, dtype=np.float32)
    found = scipy.sparse.csr_array(
        (ones, table.ravel(), np.arange(0, rows * kept + 1, kept, dtype=np.int32)), (rows, columns)
    )
    found.sum_duplicates()
    return found
