"""How well removed cells are filled in: our imputer and four of scikit-learn's."""

import time
import warnings
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import rankdata, wilcoxon
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler

from benchmarks.cached import Cache, Job, complete, digest
from benchmarks.gaps import gaps, names, sample

MECHANISMS = ("mcar", "mnar")
RATES = (0.1, 0.3, 0.5)
ROWS, COLUMNS = 1000, 50
OURS = "isthmus"
Results = dict[tuple[str, str, float, int, str], dict[str, float]]
"""Measurements by table, mechanism, rate, seed and contender."""


def ours(seed: int) -> Any:
    """Return our imputer with its defaults."""
    from isthmus import Imputer

    return Imputer(random_state=seed)


def forests(seed: int) -> IterativeImputer:
    """Return an imputer like MissForest, with at most five rounds of 30 trees instead of at most ten of 100.

    Columns are imputed in turn, starting with the one that has the fewest gaps; gaps start as means. A column is
    regressed on all others by a random forest that considers the square root of the number of columns at each split
    (MissForest's default) and grows until leaves are pure (scikit-learn's default; MissForest's leaves of five rows are
    better on as many tables as they are worse). MissForest's stopping rule, which ends at the first round that changes
    more than the one before, is missing.
    """
    forest = RandomForestRegressor(30, max_features="sqrt", n_jobs=1, random_state=seed)
    return IterativeImputer(forest, max_iter=5, random_state=seed)


CONTENDERS: dict[str, Callable[[int], Any]] = {
    "mean": lambda seed: SimpleImputer(),
    "KNNImputer": lambda seed: KNNImputer(),
    "IterativeImputer": lambda seed: IterativeImputer(random_state=seed),
    "MissForest-style": forests,
    OURS: ours,
}
"""Functions of the seed that return a new imputer."""


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    contenders = [name for name in CONTENDERS if name not in options.without]
    jobs, failed = planned(options, contenders), 0
    if not options.report_only:
        measure = partial(measured, rows=options.rows or ROWS, columns=options.columns or COLUMNS)
        failed = complete(jobs, measure, cache, options.processes, options.redo)
    results: Results = {}
    for job in jobs:
        if (result := cache.get(job)) is not None:
            results[job["table"], job["mechanism"], job["rate"], job["seed"], job["contender"]] = result
    return report(results, contenders, len(jobs)) | {"failed": failed}


def planned(options: Namespace, contenders: list[str]) -> list[Job]:
    """Return all measurements, seed by seed, so that whole seeds are complete after an early stop."""
    settings = {
        name: digest(options.rows or ROWS, options.columns or COLUMNS, CONTENDERS[name](0)) for name in contenders
    }
    return [
        {"part": "imputation", "table": table, "mechanism": mechanism, "rate": rate, "seed": seed}
        | {"contender": name, "settings": settings[name]}
        for seed in range(options.seeds or 5)
        for table in options.tables or names()
        for mechanism in MECHANISMS
        for rate in RATES
        for name in contenders
    ]


def measured(job: Job, rows: int, columns: int) -> dict[str, float]:
    """Remove cells, fill them in, and compare with the true values.

    Our imputer gets raw values. The others do not scale, and get columns standardised by the remaining cells.
    """
    X = sample(job["table"], rows, columns, job["seed"])
    missing = gaps(X, job["mechanism"], job["rate"], job["seed"])
    with_gaps = np.where(missing, np.nan, X)
    imputer = CONTENDERS[job["contender"]](job["seed"])
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        filled = fitted(imputer, with_gaps, job["contender"] != OURS)
    seconds = time.perf_counter() - start
    if filled.shape != X.shape or not np.isfinite(filled).all():
        raise ValueError(f"expected finite values of shape {X.shape}, got shape {filled.shape} or gaps")
    errors = ((filled - X) / X.std(0))[missing]
    rmse, mae = float(np.sqrt(np.mean(errors**2))), float(np.abs(errors).mean())
    return {"rmse": rmse, "mae": mae, "seconds": seconds, "rows": X.shape[0], "columns": X.shape[1]}


def fitted(imputer: Any, with_gaps: np.ndarray, standardised: bool) -> np.ndarray:
    """Fit the imputer on a table and fill in the same table."""
    if not standardised:
        return np.asarray(imputer.fit(with_gaps).transform(with_gaps))
    scaler = StandardScaler().fit(with_gaps)
    return np.asarray(scaler.inverse_transform(imputer.fit_transform(scaler.transform(with_gaps))))


def report(results: Results, contenders: list[str], planned_count: int) -> dict[str, Any]:
    """Print errors, ranks with standard errors over the tables, seconds and the verdict."""
    shared = [cell for cell in {key[:4] for key in results} if all((*cell, name) in results for name in contenders)]
    print(f"\n{len(results)} of {planned_count} measurements; compared where all contenders have one: {len(shared)}")
    if not shared:
        return {}
    tables = sorted({cell[0] for cell in shared})
    ranks: dict[str, list[np.ndarray]] = {table: [] for table in tables}
    found: dict[str, Any] = {}
    for mechanism in MECHANISMS:
        for rate in RATES:
            cells = [cell for cell in shared if cell[1:3] == (mechanism, rate)]
            if cells:
                title = f"{mechanism}, {rate:.0%} of cells"
                found[title] = report_setting(title, results, contenders, cells, ranks)
    overall = np.array([np.mean(ranks[table], axis=0) for table in tables])
    found["overall"] = verdict(overall, contenders)
    return found


def report_setting(
    title: str, results: Results, contenders: list[str], cells: list[tuple], ranks: dict[str, list[np.ndarray]]
) -> dict[str, Any]:
    """Print one mechanism and rate, and add the ranks of each table to `ranks`."""
    means: dict[str, list[np.ndarray]] = {"rmse": [], "mae": [], "seconds": []}
    tables = sorted({cell[0] for cell in cells})
    for what, rows in means.items():
        for table in tables:
            here = [[results[(*cell, name)][what] for name in contenders] for cell in cells if cell[0] == table]
            rows.append(np.mean(here, axis=0))
    ranked = [rankdata(row) for row in means["rmse"]]
    for table, row in zip(tables, ranked, strict=True):
        ranks[table].append(row)
    rank, error = np.mean(ranked, axis=0), standard_error(np.array(ranked))
    columns = {what: np.mean(rows, axis=0) for what, rows in means.items()}
    columns["median rmse"] = np.median(means["rmse"], axis=0)
    print(f"\n{title}: {len(tables)} tables, {len(cells)} tables x seeds")
    print(f"  {'':18}{'RMSE':>8}{'median':>8}{'MAE':>8}{'rank':>8}  s.e.{'seconds':>9}")
    for j, name in enumerate(contenders):
        numbers = f"{columns['rmse'][j]:8.3f}{columns['median rmse'][j]:8.3f}{columns['mae'][j]:8.3f}{rank[j]:8.2f}"
        print(f"  {name:18}{numbers}  {error[j]:.2f}{columns['seconds'][j]:9.2f}")
    listed = {what: values.tolist() for what, values in columns.items()}
    return listed | {"contenders": contenders, "rank": rank.tolist(), "standard error": error.tolist()}


def standard_error(rows: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over rows (n, C), (C,); NaN if there is a single row."""
    if len(rows) < 2:
        return np.full(rows.shape[1], np.nan)
    return np.asarray(rows.std(0, ddof=1) / np.sqrt(len(rows)))


def verdict(overall: np.ndarray, contenders: list[str]) -> dict[str, Any]:
    """Print average ranks over all settings, and whether ours is within one standard error of the best."""
    rank, error = overall.mean(0), standard_error(overall)
    best = int(rank.argmin())
    print(f"\naverage rank over all settings, standard error over {len(overall)} tables")
    for j in np.argsort(rank):
        against = ""
        if OURS in contenders and contenders[j] != OURS and len(overall) > 1:
            differences = overall[:, contenders.index(OURS)] - overall[:, j]
            p = wilcoxon(differences).pvalue if differences.any() else 1.0
            against = f"  {OURS} better on {(differences < 0).sum()}, worse on {(differences > 0).sum()}, p = {p:.2g}"
        print(f"  {contenders[j]:18}{rank[j]:6.2f}  {error[j]:.2f}{against}")
    found: dict[str, Any] = {name: [float(rank[j]), float(error[j])] for j, name in enumerate(contenders)}
    if OURS in contenders:
        behind = float(rank[contenders.index(OURS)] - rank[best])
        found["met"] = bool(behind <= error[best])
        limit = f"behind {contenders[best]}, whose standard error is {error[best]:.2f}"
        said = "best" if behind == 0 else f"{behind:.2f} {limit}"
        print(f"{'MET' if found['met'] else 'NOT MET'}: {OURS} is {said}")
    return found
