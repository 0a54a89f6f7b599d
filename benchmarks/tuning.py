"""Tuning on data sets of several kinds, next to the defaults, more training of them, and a search at random.

python -m benchmarks.tuning [--seconds N] [--sets NAME ...] [--json FILE]

A fifth of the rows is held out from everything. The others are given to: the defaults; the defaults for the same total
time (with one, four and sixteen times the epochs and, as long as there is time, further seeds, of which the best on a
fifth of the rows is taken; detectors: further seeds); a search at random over the space of `tune`, without pruning;
and `tune`. Each gets --seconds of processor time on one thread, so that other work on the machine does not matter; the
trial that runs then is finished, and the fits at the end come on top. All are measured by the objective of the set on
the rows held out, with a paired 95 % interval of the gain over the defaults. ISTHMUS_DATA names the folder with
adbench, tables and movielens-100k.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
from scipy.stats import t as student_t
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import train_test_split

from isthmus import AnomalyDetector, AutoEncoder, Imputer, load_dataset, tune
from isthmus.tasks.tuning import searching
from isthmus.tasks.tuning.objective import OBJECTIVES, Data, Objective
from isthmus.tasks.tuning.selection import difference, mean_loss
from isthmus.tasks.tuning.splitting import Part, Split, split
from isthmus.tasks.tuning.trial_row import TrialRow

FOLDER = Path(os.environ.get("ISTHMUS_DATA", "."))
SEED = 0


class Case(NamedTuple):
    """A data set, and what is asked of it."""

    X: Any
    y: np.ndarray | None
    model: BaseEstimator
    objective: str


def digits(objective: str) -> Case:
    return Case(load_dataset("digits").X, None, AutoEncoder(8 if objective == "error" else 0.9), objective)


def mnist(rows: int = 2500) -> Case:
    found = load_dataset("mnist-5k")
    chosen = np.random.default_rng(SEED).permutation(len(found.X))[:rows]
    return Case(found.X[chosen], found.y[chosen], AutoEncoder(32), "probe")


def frame(name: str, rows: int = 1500) -> Any:
    return pd.read_csv(FOLDER / "tables" / f"{name}.csv").sample(rows, random_state=SEED).reset_index(drop=True)


def anomalies(folder: str, name: str, setting: str) -> Case:
    found = np.load(FOLDER / folder / f"{name}.npz", allow_pickle=True)
    return Case(found["X"], found["y"].astype(int).ravel(), AnomalyDetector(setting), "auroc")


def ratings() -> Case:
    table = np.loadtxt(FOLDER / "movielens-100k" / "ml-100k.inter", skiprows=1)
    counts = scipy.sparse.csr_array((table[:, 2], (table[:, 0].astype(int) - 1, table[:, 1].astype(int) - 1)))
    return Case(counts, None, AutoEncoder(16, likelihood="poisson"), "error")


CASES: dict[str, Callable[[], Case]] = {
    "digits, error": lambda: digits("error"),
    "digits, score": lambda: digits("score"),
    "mnist-5k, probe": mnist,
    "credit, error": lambda: Case(frame("credit"), None, AutoEncoder(), "error"),
    "credit, impute": lambda: Case(frame("credit"), None, Imputer(members=1), "impute"),
    "movielens, error": ratings,
    "cardio, auroc": lambda: anomalies("adbench", "6_cardio", "contaminated"),
    "thyroid, auroc": lambda: anomalies("adbench", "38_thyroid", "contaminated"),
}


def objective_of(case: Case, parts: Split) -> Objective:
    """Return the objective of a case on a split of its rows."""
    found = OBJECTIVES[case.objective](clone(case.model).set_params(random_state=SEED), data_of(case, parts))
    found.prepare(set())
    return found


def data_of(case: Case, parts: Split) -> Data:
    return Data(case.X, case.y, parts, SEED)


def more_training(case: Case, development: np.ndarray, seconds: float) -> BaseEstimator:
    """Return the best of the defaults with more epochs and other seeds, within the time."""
    start, classes = time.process_time(), OBJECTIVES[case.objective].classes(case.y)
    inner = split(len(development), SEED, classes=None if classes is None else classes[development])
    held = development[inner.test]
    parts = Split([Part(development[inner.others], held)], held, case.X.shape[0])
    objective = objective_of(case, parts)
    model, best, seed = objective.model, None, 0
    models = [model, objective.longer(model)]
    if isinstance(model, AutoEncoder):
        models.append(clone(models[1]).set_params(epochs=4 * models[1].epochs))
    while time.process_time() - start < seconds:
        for one in filter(None, models):
            seeded = clone(one).set_params(random_state=SEED + seed, **objective.fixed(set()))
            fitted = objective.fit(clone(seeded), parts.parts[0].training)
            losses = objective.losses(fitted, held, parts.parts[0].training)
            loss = mean_loss(losses, objective.strata(held))
            if best is None or loss < best[0]:
                best = loss, seeded
            if time.process_time() - start > seconds:
                break
        seed += 1
    return best[1]


def searched(case: Case, X: Any, y: np.ndarray | None, seconds: float) -> Any:
    """Return what `tune` finds within so much processor time."""
    start = time.process_time()

    def stop(row: TrialRow) -> None:
        if time.process_time() - start > seconds:
            raise KeyboardInterrupt

    kind = {"model": case.model, "objective": case.objective, "random_state": SEED}
    return tune(X, y, trials=10**6, on_trial=stop, **kind)


def at_random(case: Case, X: Any, y: np.ndarray | None, seconds: float) -> Any:
    """Return what a search at random finds, without pruning."""
    before = searching.STARTUP
    searching.STARTUP = 10**9
    home = import_module("isthmus.tasks.tuning.tune")
    pruning, home.STARTUP_TRIALS = home.STARTUP_TRIALS, 10**9
    try:
        return searched(case, X, y, seconds)
    finally:
        searching.STARTUP, home.STARTUP_TRIALS = before, pruning


def compare(name: str, seconds: float) -> dict[str, Any]:
    """Measure all contenders on one case."""
    case = CASES[name]()
    classes = OBJECTIVES[case.objective].classes(case.y)
    rows = case.X.shape[0]
    development, test = map(
        np.sort, train_test_split(np.arange(rows), test_size=0.2, random_state=SEED, stratify=classes)
    )
    whole = objective_of(case, Split([Part(development, test)], test, rows))
    X, y = whole.data.rows(development), None if case.y is None else case.y[development]
    longer = more_training(case, development, seconds)
    random = at_random(case, X, y, seconds)
    tuned = searched(case, X, y, seconds)
    models = {
        "defaults": whole.fit(clone(whole.original), development),
        "defaults, same time": whole.fit(longer, development),
        "random": random.best_,
        "tuned": tuned.best_,
    }
    losses = {key: whole.losses(model, test, development) for key, model in models.items()}
    strata = whole.strata(test)
    found: dict[str, Any] = {"set": name, "verdict": str(tuned.verdict), "parameters": str(tuned.best_params_)}
    found |= {"trials": len(tuned.table), "random trials": len(random.table), "rows": len(test)}
    for key, own in losses.items():
        gain = difference(losses["defaults"], own, strata)
        freedom = len(test) - 1 if strata is None else min(strata.sum(), (~strata).sum()) - 1
        half = float(student_t.ppf(0.975, freedom)) * gain.standard_error
        found[key] = [whole.value(mean_loss(own, strata)), gain.mean, half]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sets", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = []
    for name in options.sets:
        found.append(compare(name, options.seconds))
        print(json.dumps(found[-1], indent=1), flush=True)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
