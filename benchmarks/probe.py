"""Reconstruction and linear classification from codes of one size: ours and ColumnTransformer with PCA."""

import time
import warnings
from argparse import Namespace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cached import Cache, Job, complete, digest
from benchmarks.codes import CONTENDERS, OURS, PEER, errors, relative, size
from benchmarks.gaps import UNLABELLED, gaps, labelled_sample, names

VERSIONS = ("plain", "mixed")
MISSING = 0.1
BINS = 4
FEW = 8
"""A column with at most this many distinct values uses them as levels."""
ROWS, COLUMNS = 1000, 200


def plain_frame(X: np.ndarray) -> pd.DataFrame:
    """Return a frame with named columns."""
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])


def mixed_frame(X: np.ndarray, seed: int) -> pd.DataFrame:
    """Return a frame with a third of the columns, at least one, as text, and a tenth of the cells removed at random."""
    rng = np.random.default_rng([seed, 3])
    frame = plain_frame(X)
    for j in rng.permutation(X.shape[1])[: max(1, X.shape[1] // 3)]:
        frame[f"x{j}"] = levels(X[:, j])
    return frame.mask(gaps(X, "mcar", MISSING, seed))


def levels(values: np.ndarray) -> pd.Series:
    """Return values as text: few distinct values as they are, otherwise quartiles.

    If one value fills at least three of the quartiles, the two levels are that value and any other.
    """
    if len(np.unique(values)) <= FEW:
        return pd.Series(values).map("value {:g}".format)
    bins = pd.qcut(values, BINS, labels=False, duplicates="drop")
    if len(np.unique(bins)) == 1:
        different, counts = np.unique(values, return_counts=True)
        bins = values != different[counts.argmax()]
    return pd.Series(bins).astype(int).map("bin {}".format)


def measured(job: Job, rows: int, columns: int) -> dict[str, float]:
    """Train on two thirds of the rows and measure on the others."""
    seed = job["seed"]
    X, y = labelled_sample(job["table"], rows, columns, seed)
    frame = plain_frame(X) if job["version"] == "plain" else mixed_frame(X, seed)
    train, test, labels, test_labels = train_test_split(frame, y, test_size=1 / 3, stratify=y, random_state=seed)
    train, test = train.reset_index(drop=True), test.reset_index(drop=True)
    latent = size(train)
    model = CONTENDERS[job["contender"]](latent, seed)
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    pairs = errors(model, train, test)
    found = {"latent": latent, "rows": len(frame), "columns": frame.shape[1], "seconds": seconds}
    found |= {kind: relative(of_kind) for kind, of_kind in pairs.items()}
    found["error"] = relative(pairs["numbers"] | pairs["categories"])
    found["accuracy"] = accuracy(model.transform(train), model.transform(test), labels, test_labels)
    return found


def accuracy(train: np.ndarray, test: np.ndarray, labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Return the balanced accuracy of a logistic regression on standardised codes.

    Classes have equal total weight; otherwise all classifiers of a table with few anomalies would answer alike.
    """
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(train, labels)
    return float(balanced_accuracy_score(test_labels, classifier.predict(test)))


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    rows, columns = options.rows or ROWS, options.columns or COLUMNS
    contenders = [name for name in CONTENDERS if name not in options.without]
    settings = {name: digest(rows, columns, CONTENDERS[name](1, 0)) for name in contenders}
    jobs: list[Job] = [
        {"part": "probe", "table": table, "version": version, "seed": seed}
        | {"contender": name, "settings": settings[name]}
        for seed in range(options.seeds or 3)
        for table in options.tables or [name for name in names() if name not in UNLABELLED]
        for version in VERSIONS
        for name in contenders
    ]
    failed = 0
    if not options.report_only:
        measure = partial(measured, rows=rows, columns=columns)
        failed = complete(jobs, measure, cache, options.processes, options.redo)
    return report(jobs, cache, contenders) | {"failed": failed}


def report(jobs: list[Job], cache: Cache, contenders: list[str]) -> dict[str, Any]:
    """Print each table and the shares of tables on which ours is better or equal."""
    rows: dict[tuple[str, str], dict[str, list[dict[str, float]]]] = {}
    for job in jobs:
        if (result := cache.get(job)) is not None:
            by_contender = rows.setdefault((job["version"], job["table"]), {name: [] for name in contenders})
            by_contender[job["contender"]].append(result)
    print(f"\n{'':24}{'k':>3}  error relative to the per-column model, balanced accuracy: {', '.join(contenders)}")
    found: dict[str, Any] = {"tables": {}}
    verdicts: list[tuple[str, str, str]] = []
    for (version, table), results in sorted(rows.items()):
        if not all(len(results[name]) == len(results[contenders[0]]) > 0 for name in contenders):
            print(f"{version:6}{table:18}  not measured by all contenders on the same seeds")
            continue
        line = f"{version:6}{table:18}{np.mean([r['latent'] for r in results[contenders[0]]]):3.0f}"
        for what in ("error", "accuracy"):
            values = {name: float(np.mean([r[what] for r in results[name]])) for name in contenders}
            found["tables"].setdefault(f"{version} {table}", {})[what] = values
            line += "   " + " ".join(f"{value:6.3f}" for value in values.values())
            if {OURS, PEER} <= set(contenders):
                compared = comparison(what, results)
                verdicts.append((version, what, compared))
                line += f" {compared:6}"
        print(line)
    return found | verdict(verdicts)


def comparison(what: str, results: dict[str, list[dict[str, float]]]) -> str:
    """Return "better", "worse", or "equal" if the mean difference is within its standard error over the seeds."""
    differences = np.array([a[what] - b[what] for a, b in zip(results[OURS], results[PEER], strict=True)])
    gain = differences.mean() * (-1 if what == "error" else 1)
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else 0.0
    if abs(gain) <= error:
        return "equal"
    return "better" if gain > 0 else "worse"


def verdict(verdicts: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Print the shares of tables on which ours is better, and better or equal."""
    shares: dict[str, Any] = {}
    for version in VERSIONS:
        for what in ("error", "accuracy"):
            here = [compared for v, w, compared in verdicts if (v, w) == (version, what)]
            if here:
                better, worse = here.count("better") / len(here), here.count("worse") / len(here)
                shares[f"{version} {what}"] = 1 - worse
                met = "MET" if 1 - worse >= 0.8 else "NOT MET"
                print(f"{met}: {version} {what}: better or equal on {1 - worse:.0%} of {len(here)} tables", end="")
                print(f", better on {better:.0%}; equal is within a standard error over the seeds")
    return {"shares": shares}
