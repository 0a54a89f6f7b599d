"""Anomalies of four kinds, made of rows that are taken for normal (ADBench, Han et al. 2022, section 3.2)."""

from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans

from isthmus.tasks.anomaly.column_values import ColumnValues

CLUSTERS = 8
"""Greatest number of clusters whose centres local and clustered anomalies start from."""
SPREAD, STRETCH, SHIFT = 5.0, 1.1, 5.0
"""How many times a local anomaly has the variance of its cluster; by how much a global one may leave the range of a
column; and how many times as far from the mean as its cluster clustered ones lie."""


def local(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows (n, C) at √5 times their distance from the centres of their clusters."""
    centres = cluster_centres(values, rng)
    return centres + SPREAD**0.5 * (values - centres)


def spread_out(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows (n, C) drawn from the ranges of the columns, widened by a tenth: global anomalies."""
    middle, half = (values.max(0) + values.min(0)) / 2, np.ptp(values, axis=0) / 2
    return middle + STRETCH * half * rng.uniform(-1, 1, values.shape)


def independent(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows (n, C) of which each value is that of some row, so that no relation holds: dependency anomalies."""
    return rng.permuted(values, axis=0)


def clustered(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows (n, C) whose clusters are five times as far from the mean."""
    centres = cluster_centres(values, rng)
    return values + (SHIFT - 1) * (centres - values.mean(0))


KINDS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "local": local,
    "global": spread_out,
    "dependency": independent,
    "clustered": clustered,
}


def cluster_centres(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the centre of each row's cluster, (n, C), of clusters of standardised rows (n, C)."""
    scale = values.std(0)
    scaled = values / np.where(scale > 0, scale, 1.0)
    count = max(1, min(CLUSTERS, len(np.unique(scaled, axis=0)), len(scaled) // 10))
    seed = int(rng.integers(2**31))
    clusters = KMeans(count, n_init=1, random_state=seed).fit_predict(scaled)
    means = np.stack([values[clusters == cluster].mean(0) for cluster in range(count)])
    return np.asarray(means[clusters])


def made_up(numbers: np.ndarray, columns: ColumnValues, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return anomalies made of rows of numbers (n, R), as many of each kind, by kind.

    Of tables of several kinds of columns, or with gaps, only relations between columns can be broken without making
    values that do not occur.
    """
    if columns.table is None and np.isfinite(numbers).all():
        return {kind: make(np.asarray(numbers, dtype=np.float64), rng) for kind, make in KINDS.items()}
    return {"dependency": columns.numbers(independent(columns.values(numbers), rng))}
