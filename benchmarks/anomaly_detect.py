"""How well anomalies are separated from normal rows by our detector and those of PyOD and scikit-learn."""

import time
import warnings
from argparse import Namespace
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import rankdata, wilcoxon
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.anomaly_peers import PEERS, Scorer, fitted
from benchmarks.anomaly_splits import ROWS, SETTINGS, split, tables
from benchmarks.cached import Cache, Job, complete, digest

OURS = "isthmus"
CONTENDERS = (*PEERS, OURS)
TOO_WIDE = {"PyOD MCD": 500, "scaled MCD": 500}
"""Number of columns above which a detector takes hours."""
Results = dict[tuple[str, str, int, str], dict[str, float]]
"""Measurements by setting, table, seed and contender."""


def ours(X: np.ndarray, setting: str, seed: int) -> Scorer:
    """Fit our detector with its defaults for the setting."""
    from isthmus import AnomalyDetector

    known = "contaminated" if setting == "contaminated" else "clean"
    detector = AnomalyDetector(known, random_state=seed).fit(X)
    return lambda rows: -detector.score_samples(rows)


def measured(job: Job, rows: int = ROWS) -> dict[str, Any]:
    """Fit and score one contender once; return AUROC, average precision, and the seconds of fit and score."""
    given = split(job["table"], job["setting"], job["seed"], rows)
    if given.fit.shape[1] > TOO_WIDE.get(job["contender"], given.fit.shape[1]):
        return {}
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if job["contender"] == OURS:
            score = ours(given.fit, job["setting"], job["seed"])
        else:
            score = fitted(job["contender"], given.fit, job["seed"])
        scores = score(given.score)
    seconds = time.perf_counter() - start
    # Some detectors return NaN for a row, which is taken as their lowest score.
    scores = np.nan_to_num(scores, nan=np.nanmin(scores), posinf=1e300, neginf=-1e300)
    return {
        "auroc": float(roc_auc_score(given.anomaly, scores)),
        "ap": float(average_precision_score(given.anomaly, scores)),
        "seconds": seconds,
    }


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    contenders = [name for name in CONTENDERS if name not in options.without]
    rows = options.rows or ROWS
    jobs, failed = planned(options, contenders, rows), 0
    if not options.report_only:
        failed = complete(jobs, partial(measured, rows=rows), cache, options.processes, options.redo)
    results: Results = {}
    for job in jobs:
        if found := cache.get(job):
            results[job["setting"], job["table"], job["seed"], job["contender"]] = found
    return {setting: report(results, setting, contenders) for setting in SETTINGS} | {"failed": failed}


def planned(options: Namespace, contenders: list[str], rows: int) -> list[Job]:
    """Return all measurements, seed by seed, so that whole seeds are complete after an early stop."""
    return [
        {"part": "detect", "setting": setting, "table": table, "seed": seed, "contender": name}
        | {"settings": digest(rows, name)}
        for seed in range(options.seeds or 5)
        for setting in SETTINGS
        for table in tables(setting)
        if not options.tables or table in options.tables
        for name in contenders
    ]


def averaged(results: Results, setting: str, contenders: list[str], measure: str) -> tuple[list[str], np.ndarray]:
    """Return the tables, and the mean over seeds of a measure, (tables, contenders); NaN where it is missing."""
    names = list(dict.fromkeys(table for where, table, _, _ in results if where == setting))
    found = np.full((len(names), len(contenders)), np.nan)
    for i, table in enumerate(names):
        for j, contender in enumerate(contenders):
            values = [
                result[measure]
                for (where, what, _, who), result in results.items()
                if (where, what, who) == (setting, table, contender)
            ]
            if values:
                found[i, j] = np.mean(values)
    return names, found


def report(results: Results, setting: str, contenders: list[str]) -> dict[str, Any]:
    """Print the means of every table and their summary; return the summary."""
    summary: dict[str, Any] = {}
    for measure in ("auroc", "ap"):
        names, found = averaged(results, setting, contenders, measure)
        if not names:
            continue
        print(f"\n{setting}: {measure} in %, mean over seeds\n{'':22}" + "".join(f"{short(c):>9}" for c in contenders))
        for name, row in zip(names, 100 * found, strict=True):
            print(f"{name:22}" + "".join(f"{value:9.1f}" for value in row))
        summary[measure] = summarised(found, contenders)
    _, seconds = averaged(results, setting, contenders, "seconds")
    print(f"{'seconds, mean':22}" + "".join(f"{value:9.2f}" for value in np.nanmean(seconds, axis=0)))
    summary["seconds"] = dict(zip(contenders, np.nanmean(seconds, axis=0).tolist(), strict=True))
    return summary


def summarised(found: np.ndarray, contenders: list[str]) -> dict[str, Any]:
    """Print and return means, mean ranks and Wilcoxon tests against ours; ranks use tables measured by all."""
    whole = found[~np.isnan(found).any(axis=1)]
    ranks = np.array([rankdata(-row) for row in whole]).mean(axis=0)
    last = contenders.index(OURS)
    own = []
    for j in range(len(contenders)):
        both = found[~np.isnan(found[:, j])]
        differs = bool((both[:, last] != both[:, j]).any())
        own.append(float(wilcoxon(both[:, last], both[:, j]).pvalue) if differs else 1.0)
    means = 100 * np.nanmean(found, axis=0)
    # The lead over a detector is averaged over the tables on which that detector was measured.
    lead = [100 * float(np.nanmean(found[:, last] - found[:, j])) for j in range(len(contenders))]
    for label, values, width in (
        ("mean", means, 1),
        ("mean rank", ranks, 2),
        ("ours is ahead by", lead, 1),
        ("p", own, 3),
    ):
        print(f"{label:22}" + "".join(f"{value:9.{width}f}" for value in values))
    rows = zip(contenders, means, ranks, lead, own, strict=True)
    return {name: {"mean": m, "rank": r, "ahead": d, "p": p} for name, m, r, d, p in rows}


def short(contender: str) -> str:
    """Return the name of a contender, shortened to the width of a column."""
    return contender.replace("PyOD ", "").replace("scikit-learn ", "sk ").replace("IsolationForest", "IF")[:8]
