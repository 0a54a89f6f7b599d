"""Which rows are called anomalies without any parameter, how many that are, and what known anomalies add."""

import warnings
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from benchmarks.anomaly_splits import split, tables
from benchmarks.cached import Cache, Job, complete, digest

OURS = "isthmus"
ROWS = 3000
"""Maximum number of rows of a table."""
KNOWN = (1, 5, 20)
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3)
RULES = "chau clf dsn eb fgd filter fwfm gesd hist iqr karch mad mcst mixmod moll mtt ocsvm qmcd regr wind yj zscore"
"""The rules of PyThresh that need no further package and no tuning."""
COLUMNS: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "lognormal": lambda rng, size: rng.lognormal(size=size),
    "t3": lambda rng, size: rng.standard_t(3, size=size),
    "exponential": lambda rng, size: rng.exponential(size=size),
    "gamma": lambda rng, size: rng.gamma(2, size=size),
    "uniform": lambda rng, size: rng.uniform(size=size),
}
KINDS = ("line", "cluster", "scatter", "skewed", "heavy")


def related(rng: np.random.Generator, rows: int, columns: int = 8) -> np.ndarray:
    """Return normal rows (n, columns) near a subspace of half as many dimensions."""
    turn = np.random.default_rng(columns).normal(size=(columns // 2, columns))
    return rng.normal(size=(rows, columns // 2)) @ turn + 0.1 * rng.normal(size=(rows, columns))


def made_up(kind: str, share: float, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n, F), of which a share lies far away, and which (n,)."""
    rng = np.random.default_rng([seed, rows, round(1000 * share), len(kind)])
    odd = round(share * rows)
    if kind == "line":
        X = rng.normal(size=(rows, 1)) * [1.0, -1.0, 2.0, 0.7] + 0.1 * rng.normal(size=(rows, 4))
        X[:odd] = rng.normal(size=(odd, 4)) + 6
    elif kind == "cluster":
        X = related(rng, rows)
        X[:odd] = 0.3 * X[:odd] + 4 * X.std(0) * np.sign(rng.normal(size=8))
    elif kind == "scatter":
        X = related(rng, rows)
        X[:odd] = rng.uniform(-1.5, 1.5, size=(odd, 8)) * np.abs(X).max(0)
    elif kind == "skewed":
        X = rng.lognormal(size=(rows, 5))
        X[:odd] += 25
    else:
        X = rng.standard_t(3, size=(rows, 6))
        X[:odd] += 12 * np.sign(rng.normal(size=(odd, 6)))
    return X, np.arange(rows) < odd


def top(scores: np.ndarray, share: float) -> np.ndarray:
    """Return which scores (n,) are among the highest share."""
    return scores > np.sort(scores)[len(scores) - round(share * len(scores)) - 1]


def thresholded(name: str, scores: np.ndarray) -> np.ndarray:
    """Return which scores (n,) a rule of PyThresh calls anomalies."""
    rule = getattr(import_module(f"pythresh.thresholds.{name}"), name.upper())
    return np.asarray(rule().eval(scores)) == 1


def on_table(job: Job) -> dict[str, Any]:
    """Fit with defaults, and return F1 and the share called by each rule, on our scores and IsolationForest's."""
    from isthmus import AnomalyDetector

    given = split(job["table"], "contaminated", job["seed"], ROWS)
    detector = AnomalyDetector(random_state=job["seed"]).fit(given.fit)
    forest = IsolationForest(random_state=job["seed"]).fit(given.fit)
    theirs = -forest.score_samples(given.fit)
    called = {"isthmus default": detector.labels_ == 1, "IsolationForest auto": forest.predict(given.fit) == -1}
    for name, scores in (("isthmus", detector.decision_scores_), ("IsolationForest", theirs)):
        called |= {f"{name} {share}": top(scores, share) for share in (0.05, 0.1)}
        if job["peers"]:
            called |= {f"{name} {rule}": thresholded(rule, scores) for rule in RULES.split()}
    sure = detector.probability(given.fit).anomaly
    found: dict[str, Any] = {f"F1 {rule}": f1_score(given.anomaly, rows) for rule, rows in called.items()}
    found |= {f"called {rule}": float(rows.mean()) for rule, rows in called.items()}
    found["count"], found["anomalies"] = list(detector.n_anomalies_), int(given.anomaly.sum())
    found["Brier"] = float(np.mean((sure - given.anomaly) ** 2))
    return found


def on_made_up(job: Job) -> dict[str, Any]:
    """Fit to made-up rows; return the estimated share of anomalies and the share called."""
    from isthmus import AnomalyDetector

    rows, share = job["rows"], job["share"]
    if job["table"] in COLUMNS:
        X = COLUMNS[job["table"]](np.random.default_rng([rows, job["seed"]]), (rows, job["columns"]))
        y = np.zeros(rows, dtype=bool)
    else:
        X, y = made_up(job["table"], share, rows, job["seed"])
    detector = AnomalyDetector(random_state=job["seed"]).fit(X)
    found = {"count": list(detector.n_anomalies_), "called": float(detector.labels_.mean()), "anomalies": int(y.sum())}
    if y.any():
        found |= {"auroc": roc_auc_score(y, detector.decision_scores_), "F1": f1_score(y, detector.labels_)}
    return found


def on_few(job: Job) -> dict[str, Any]:
    """Fit to few rows known to be normal; return the share of new normal rows that is called anomalies."""
    from isthmus import AnomalyDetector

    rng = np.random.default_rng(job["seed"])
    turn = rng.normal(size=(4, 6))
    X, new = (rng.normal(size=(n, 4)) @ turn + 0.1 * rng.normal(size=(n, 6)) for n in (job["rows"], 2000))
    detector = AnomalyDetector(setting="clean", random_state=job["seed"]).fit(X)
    return {"called": float((detector.predict(new) == -1).mean())}


def on_known(job: Job) -> dict[str, Any]:
    """Fit with some anomalies known and with none; return average precision and F1 on the other rows for both."""
    from isthmus import AnomalyDetector

    given = split(job["table"], "contaminated", job["seed"], ROWS)
    odd, found = np.flatnonzero(given.anomaly), {}
    if len(odd) <= job["known"]:
        return {}
    y = np.full(len(given.fit), -1)
    y[np.random.default_rng([job["seed"], job["known"]]).choice(odd, job["known"], replace=False)] = 1
    for name, labels in (("without", None), ("with", y)):
        detector = AnomalyDetector(random_state=job["seed"]).fit(given.fit, labels)
        truth, scores = given.anomaly[y < 0], detector.decision_scores_[y < 0]
        found[f"AP {name}"] = average_precision_score(truth, scores)
        found[f"F1 {name}"] = f1_score(truth, detector.labels_[y < 0])
    return found


MEASURES = {"table": on_table, "made-up": on_made_up, "few": on_few, "known": on_known}


def measured(job: Job) -> dict[str, Any]:
    """Make one measurement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MEASURES[job["what"]](job)


def planned(options: Namespace) -> list[Job]:
    """Return all measurements, seed by seed."""
    jobs: list[Job] = []
    peers = "PyThresh" not in options.without
    for seed in range(options.seeds or 3):
        names = options.tables or tables("contaminated")
        jobs += [{"what": "table", "table": name, "seed": seed, "peers": peers} for name in names]
        made = [(kind, share, 0) for kind in KINDS for share in SHARES]
        made += [(name, 0.0, columns) for name in COLUMNS for columns in (1, 3, 10)]
        jobs += [
            {"what": "made-up", "table": kind, "share": share, "columns": columns, "rows": rows, "seed": seed}
            for rows in (300, 2000)
            for kind, share, columns in made
        ]
        jobs += [{"what": "known", "table": name, "known": known, "seed": seed} for known in KNOWN for name in names]
    jobs += [{"what": "few", "table": "", "rows": n, "seed": seed} for n in (50, 100, 300) for seed in range(10)]
    return [{"part": "decisions", "contender": OURS, "settings": digest(ROWS), **job} for job in jobs]


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    jobs, failed = planned(options), 0
    if not options.report_only:
        failed = complete(jobs, measured, cache, options.processes, options.redo)
    found = {
        what: [(job, result) for job in jobs if job["what"] == what and (result := cache.get(job))] for what in MEASURES
    }
    return {
        "rules": rules(found["table"]),
        "made-up": shares(found["made-up"]),
        "few": few(found["few"]),
        "known": known(found["known"]),
        "failed": failed,
    }


Found = list[tuple[Job, dict[str, Any]]]


def by_table(found: Found, measure: str) -> np.ndarray:
    """Return the mean over seeds of a measure, one per table; tables without anomalies are left out."""
    names = list(dict.fromkeys(job["table"] for job, _ in found))
    values = [[r[measure] for job, r in found if job["table"] == name and r.get("anomalies", 1)] for name in names]
    return np.array([np.mean(value) for value in values if value])


def rules(found: Found) -> dict[str, Any]:
    """Print F1 of each rule: the mean over tables, and over each half of them."""
    if not found:
        return {}
    summary = {}
    names = [name.removeprefix("F1 ") for name in found[0][1] if name.startswith("F1 ")]
    for name in names:
        score, called = by_table(found, f"F1 {name}"), by_table(found, f"called {name}")
        lead = by_table(found, "F1 isthmus default") - score
        summary[name] = [float(score.mean()), float(score[::2].mean()), float(score[1::2].mean()), float(called.mean())]
        summary[name] += [int((lead > 0.01).sum()), int((lead < -0.01).sum())]
    print(f"\n{'rule':28}{'F1':>7}{'even':>7}{'odd':>7}{'called':>8}{'ours better':>13}{'worse':>7}")
    for name, (mean, even, odd, called, wins, losses) in sorted(summary.items(), key=lambda item: -item[1][0]):
        print(f"{name:28}{mean:7.3f}{even:7.3f}{odd:7.3f}{called:8.1%}{wins:13}{losses:7}")
    covered = [r["count"][1] <= r["anomalies"] <= r["count"][2] for _, r in found]
    print(f"the interval of n_anomalies_ holds the labelled number in {np.mean(covered):.0%} of fits")
    share = [r["anomalies"] for _, r in found]
    print(f"Brier score of probability(X).anomaly {by_table(found, 'Brier').mean():.3f} (anomalies: {np.sum(share)})")
    for name in dict.fromkeys(job["table"] for job, _ in found):
        here = [r for job, r in found if job["table"] == name]
        line = " ".join(f"{np.mean([r[f'F1 {rule}'] for r in here]):6.3f}" for rule in names[:6])
        print(f"{name:20}{np.mean([r['anomalies'] for r in here]):7.0f} {here[0]['count']!s:18}{line}")
    print(f"{'':46}{', '.join(names[:6])}")
    return summary


def shares(found: Found) -> dict[str, Any]:
    """Print the estimated share and the share called of made-up rows."""
    obvious = [(job, r) for job, r in found if r["anomalies"] and r["auroc"] >= 0.95]
    summary: dict[str, Any] = {}
    for share in SHARES:
        here = [r for job, r in obvious if job["share"] == share]
        if here:
            ratio = np.array([max(r["count"][0], 0.5) / r["anomalies"] for r in here])
            summary[str(share)] = [
                float(np.mean((ratio < 1.5) & (ratio > 1 / 1.5))),
                float(np.mean([r["F1"] for r in here])),
            ]
            inside = np.mean([r["count"][1] <= r["anomalies"] <= r["count"][2] for r in here])
            print(
                f"{share:.0%} obvious anomalies ({len(here)} sets): estimate within a factor of 1.5 in "
                f"{summary[str(share)][0]:.0%}, in the interval {inside:.0%}, F1 {summary[str(share)][1]:.2f}"
            )
    for name in COLUMNS:
        called = [[r["called"] for job, r in found if job["table"] == name and job["columns"] == k] for k in (1, 3, 10)]
        summary[name] = [float(np.mean(value)) for value in called if value]
        print(
            f"no anomalies, {name:12} columns (1, 3, 10): called {' '.join(f'{value:.2%}' for value in summary[name])}"
        )
    return summary


def few(found: Found) -> dict[str, Any]:
    """Print the false alarms where few clean rows were given."""
    sizes = sorted({job["rows"] for job, _ in found})
    summary = {str(n): float(np.mean([r["called"] for job, r in found if job["rows"] == n])) for n in sizes}
    print(f"false alarms among new normal rows, by clean training rows: {summary}")
    return summary


def known(found: Found) -> dict[str, Any]:
    """Print what known anomalies add."""
    summary: dict[str, Any] = {}
    for number in KNOWN:
        here = [(job, r) for job, r in found if job["known"] == number and r]
        if here:
            means = {name: by_table(here, name) for name in ("AP without", "AP with", "F1 without", "F1 with")}
            lead = means["F1 with"] - means["F1 without"]
            summary[str(number)] = {name: float(value.mean()) for name, value in means.items()}
            said = ", ".join(f"{name} {value:.3f}" for name, value in summary[str(number)].items())
            print(f"{number} known: {said}; F1 better on {(lead > 0.01).sum()}, worse on {(lead < -0.01).sum()} tables")
    return summary
