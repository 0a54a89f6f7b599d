"""How often an explanation names the columns that were altered."""

from argparse import Namespace
from typing import Any

import numpy as np
from sklearn.covariance import empirical_covariance
from sklearn.ensemble import IsolationForest

from benchmarks.anomaly_splits import tables
from benchmarks.cached import Cache, Job, complete, digest
from benchmarks.gaps import whole

ROWS, ODD = 2000, 60
"""Maximum number of normal rows to fit, and number of rows to alter."""
CELLS = (1, 2, 3)
"""Numbers of cells of a row that are replaced by those of another row."""
MIN_COLUMNS, MAX_COLUMNS = 6, 60
"""Minimum and maximum number of columns of the tables."""
RIDGE = 0.1
"""Added to the diagonal of the covariance matrix."""
OURS = "isthmus"
SHAP = "SHAP on IForest"
NAMES = ("|z|", "EASE residual", SHAP, OURS)


def altered(X: np.ndarray, cells: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Replace cells by those of other rows that differ there; return the rows, and which cells were replaced."""
    rows, changed = X.copy(), np.zeros(X.shape, dtype=bool)
    spread = X.std(0)
    for i in range(len(X)):
        for j in rng.permutation(X.shape[1]):
            value = X[rng.integers(len(X)), j]
            if abs(value - X[i, j]) > 0.5 * spread[j] and changed[i].sum() < cells:
                rows[i, j], changed[i, j] = value, True
    return rows, changed


def measured(job: Job) -> dict[str, Any]:
    """Return the share of the altered cells among the first three columns named, by number of altered cells."""
    X, y = whole(job["table"])
    order = np.random.default_rng([job["seed"], 5]).permutation(np.flatnonzero(y == 0))
    fitted, new = X[order[ODD:][:ROWS]], X[order[:ODD]]
    varying = fitted.std(0) > 0
    fitted, new = fitted[:, varying], new[:, varying]
    weights = fitted_reasons(job["contender"], fitted, job["seed"])
    found = {}
    for cells in CELLS:
        rows, changed = altered(new, cells, np.random.default_rng([job["seed"], cells]))
        any_changed = changed.any(1)
        rows, changed = rows[any_changed], changed[any_changed]
        first = np.argsort(-weights(rows), axis=1, kind="stable")[:, :3]
        hits = np.take_along_axis(changed, first, axis=1).sum(1) / changed.sum(1)
        found[str(cells)] = float(hits.mean())
    return found


def fitted_reasons(contender: str, fitted: np.ndarray, seed: int) -> Any:
    """Fit a contender and return its function of rows (n, F) to weights (n, F) of the cells as reasons."""
    mean, spread = fitted.mean(0), fitted.std(0)
    if contender == "|z|":
        return lambda rows: np.abs(rows - mean) / spread
    if contender == "EASE residual":
        Z = (fitted - mean) / spread
        precision = np.linalg.inv(empirical_covariance(Z, assume_centered=True) + RIDGE * np.eye(Z.shape[1]))
        return lambda rows: np.abs((rows - mean) / spread @ precision) / np.sqrt(np.diag(precision))
    if contender == SHAP:
        import shap

        forest = IsolationForest(random_state=seed).fit(fitted)
        explainer = shap.TreeExplainer(forest)
        # SHAP explains the depth at which a row is isolated; a smaller depth is odder.
        return lambda rows: -explainer.shap_values(rows)
    from isthmus import AnomalyDetector

    detector = AnomalyDetector(setting="clean", calibration_fraction=None, random_state=seed).fit(fitted)
    return lambda rows: detector.explain(rows).contributions


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the hit rates."""
    names = options.tables or tables("clean")
    chosen = [name for name in names if MIN_COLUMNS <= whole(name)[0].shape[1] <= MAX_COLUMNS]
    chosen = [name for name in chosen if (whole(name)[1] == 0).sum() >= 5 * ODD]
    jobs: list[Job] = [
        {"part": "reasons", "table": table, "seed": seed, "contender": name, "settings": digest(ROWS, ODD, RIDGE)}
        for seed in range(options.seeds or 3)
        for table in chosen
        for name in NAMES
    ]
    failed = 0 if options.report_only else complete(jobs, measured, cache, options.processes, options.redo)
    summary: dict[str, Any] = {}
    print(
        f"\nshare of the altered cells among the first three columns named\n{'':18}" + "".join(f"{c:>8}" for c in CELLS)
    )
    for name in NAMES:
        results = [found for job in jobs if job["contender"] == name and (found := cache.get(job))]
        summary[name] = {str(c): float(np.mean([found[str(c)] for found in results])) for c in CELLS}
        print(f"{name:18}" + "".join(f"{summary[name][str(c)]:8.3f}" for c in CELLS) + f"   ({len(results)} runs)")
    return summary | {"failed": failed}
