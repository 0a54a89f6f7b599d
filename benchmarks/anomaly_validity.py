"""Whether p-values and false discovery rates are valid, on held-out normal rows of many tables."""

import warnings
from argparse import Namespace
from typing import Any

import numpy as np

from benchmarks.anomaly_splits import tables
from benchmarks.cached import Cache, Job, complete, digest
from benchmarks.gaps import whole

LEVELS = (0.01, 0.05, 0.1)
RATE = 0.1
"""The false discovery rate that is set."""
ROWS, NEW, ODD = 2000, 400, 40
"""Maximum number of normal rows to fit, new normal rows, and anomalies among the new rows."""
METHOD = "mahalanobis"
"""Validity does not depend on the method; this one is fitted in milliseconds."""


def measured(job: Job) -> dict[str, Any]:
    """Fit on normal rows, and compute p-values and decisions for new normal rows and anomalies."""
    from isthmus import AnomalyDetector

    X, y = whole(job["table"])
    order = np.random.default_rng([job["seed"], 4]).permutation(len(X))
    normal, anomalies = order[y[order] == 0], order[y[order] == 1][:ODD]
    fitted, new = normal[: min(ROWS, len(normal) - NEW)], normal[-NEW:]
    detector = AnomalyDetector(method=job["contender"], setting="clean", random_state=job["seed"]).fit(X[fitted])
    rows = np.concatenate([X[new], X[anomalies]])
    p = detector.pvalues(rows)
    found: dict[str, Any] = {f"at {level}": float((p[:NEW] <= level).mean()) for level in LEVELS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        called = detector.set_params(fdr=RATE).predict(rows) == -1
    found["false"] = float(called[:NEW].sum() / max(1, called.sum()))
    found["power"] = float(called[NEW:].mean())
    return found


def planned(options: Namespace) -> list[Job]:
    """Return all measurements: tables with enough normal rows, each with the requested number of splits."""
    chosen = [name for name in options.tables or tables("clean") if (whole(name)[1] == 0).sum() >= 1500 + NEW]
    return [
        {"part": "validity", "table": table, "seed": seed, "contender": METHOD, "settings": digest(ROWS, NEW, ODD)}
        for seed in range(options.seeds or 200)
        for table in chosen
    ]


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the realised shares of every table next to the levels set."""
    jobs, failed = planned(options), 0
    if not options.report_only:
        failed = complete(jobs, measured, cache, options.processes, options.redo)
    by_table: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        if found := cache.get(job):
            by_table.setdefault(job["table"], []).append(found)
    titles = [f"at {level}" for level in LEVELS]
    print(f"\n{'table':18}{'splits':>7}" + "".join(f"{'p <= ' + str(level):>18}" for level in LEVELS), end="")
    print(f"{'false (' + str(RATE) + ')':>18}{'power':>8}")
    summary: dict[str, Any] = {}
    for table, results in by_table.items():
        means = {title: mean_and_error([result[title] for result in results]) for title in [*titles, "false", "power"]}
        shares = "".join(f"{means[title][0]:10.4f} ± {means[title][1]:.4f}" for title in [*titles, "false"])
        print(f"{table:18}{len(results):7}{shares}{means['power'][0]:8.2f}")
        summary[table] = means
    for level, title in zip(LEVELS, titles, strict=True):
        within = sum(means[title][0] - level <= 2 * means[title][1] for means in summary.values())
        print(f"p <= {level}: at most {level} within two standard errors on {within} of {len(summary)} tables")
    return {"tables": summary, "failed": failed}


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Return the mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan
