"""Tables larger than memory: fit and score from Parquet, with rows per second and peak memory."""

import resource
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cached import Cache

ROWS, COLUMNS, GROUP = 10_000_000, 30, 100_000


def written(path: Path, rows: int) -> None:
    """Write float32 rows that scatter around a five-dimensional plane."""
    rng = np.random.default_rng(0)
    turn = rng.normal(size=(5, COLUMNS)).astype(np.float32)
    schema = pa.schema([(f"c{j}", pa.float32()) for j in range(COLUMNS)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, GROUP):
            n = min(GROUP, rows - start)
            X = rng.normal(size=(n, 5)).astype(np.float32) @ turn + 0.3 * rng.normal(size=(n, COLUMNS))
            columns = [pa.array(column) for column in X.T.astype(np.float32)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def peak_memory() -> float:
    """Return the peak memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Fit and score; print rows per second and memory."""
    from isthmus import AnomalyDetector

    rows = options.rows or ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        written(path, rows)
        before = peak_memory()
        start = time.perf_counter()
        detector = AnomalyDetector(method=options.method, random_state=0).fit(path)
        fitted = time.perf_counter() - start
        start = time.perf_counter()
        scores = detector.score_samples(path)
        scored = time.perf_counter() - start
    found = {
        "rows": rows,
        "fit, seconds": fitted,
        "score, rows per second": len(scores) / scored,
        "peak, MiB": peak_memory(),
        "before, MiB": before,
    }
    print("\n".join(f"{name:22}{value:14,.0f}" for name, value in found.items()))
    return found | {"failed": 0}
