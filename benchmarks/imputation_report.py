"""What the imputation benchmark says: average ranks, columns worse than their mean or mode, and lost cases."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy.stats import rankdata, t

from benchmarks.fillers import OURS, PLAIN

Results = dict[tuple[str, str, float, int, str], dict[str, Any]]
"""Measurements by table, mechanism, rate, seed and contender."""
Cell = tuple[str, str, float, int]
"""Table, mechanism, rate and seed."""
KINDS = {"numbers": "RMSE in sd", "categories": "share wrong"}
CHANCE = 0.025
"""Probability that a column or case that is as good as another is called worse."""


def report(results: Results, contenders: list[str]) -> dict[str, Any]:
    """Print errors, ranks, seconds, columns that are worse than mean or mode, lost cases and the verdict."""
    cells = sorted(
        cell for cell in {key[:4] for key in results} if all((*cell, name) in results for name in contenders)
    )
    print(f"compared where all contenders have one: {len(cells)} of {len({key[:4] for key in results})}")
    if not cells:
        return {}
    found: dict[str, Any] = {"contenders": contenders}
    for kind in KINDS:
        found[kind] = report_kind(kind, results, contenders, cells)
    report_seconds(results, contenders, cells)
    if OURS not in contenders:
        return found
    if PLAIN in contenders:
        found["worse columns"] = worse_columns(results, cells)
    best = [
        kind
        for kind in KINDS
        if found[kind] and min(found[kind]["overall"]) == found[kind]["overall"][contenders.index(OURS)]
    ]
    # With one seed no column can be told from noise, so that nothing is shown.
    several = PLAIN in contenders and len({cell[3] for cell in cells}) > 1
    found["met"] = several and len(best) == len(KINDS) and not found["worse columns"]
    print(f"\n{'MET' if found['met'] else 'NOT MET'}: best average rank in {' and '.join(best) or 'nothing'}", end="")
    print("" if several else f"; columns beside {PLAIN} need that contender and two seeds")
    return found


def report_kind(kind: str, results: Results, contenders: list[str], cells: list[Cell]) -> dict[str, Any]:
    """Print errors and ranks by setting and overall, and the lost cases, in columns of one kind."""
    cells = [cell for cell in cells if results[(*cell, contenders[0])][kind]]
    if not cells:
        return {}
    loss = {cell: np.array([mean_loss(results[(*cell, name)], kind) for name in contenders]) for cell in cells}
    cases = grouped(cells, lambda cell: cell[:3])
    mean = {case: np.mean([loss[cell] for cell in own], axis=0) for case, own in cases.items()}
    ranks = {case: rankdata(row.round(9)) for case, row in mean.items()}
    tables = sorted({case[0] for case in cases})
    print(f"\n{kind.upper()}: {KINDS[kind]}, mean over the columns and seeds; {len(tables)} tables")
    print(f"  {'':20}" + "".join(f"{name:>18}" for name in contenders))
    found: dict[str, Any] = {}
    for setting in sorted({case[1:] for case in cases}):
        here = [case for case in cases if case[1:] == setting]
        errors, rank = np.mean([mean[c] for c in here], axis=0), np.mean([ranks[c] for c in here], axis=0)
        title = f"{setting[0]} {setting[1]:.0%}"
        print(f"  {title:20}" + "".join(f"{e:10.3f} ({r:.2f})" for e, r in zip(errors, rank, strict=True)))
        found[title] = {"error": errors.tolist(), "rank": rank.tolist()}
    by_table = np.array([np.mean([ranks[case] for case in cases if case[0] == table], axis=0) for table in tables])
    overall = by_table.mean(0)
    print(f"  {'average rank':20}" + "".join(f"{rank:18.2f}" for rank in overall))
    print(f"  {'its standard error':20}" + "".join(f"{error:18.2f}" for error in standard_error(by_table)))
    found |= {"overall": overall.tolist(), "standard error": standard_error(by_table).tolist()}
    if OURS in contenders:
        found["lost"] = lost_cases(contenders, loss, cases)
    return found


def mean_loss(result: dict[str, Any], kind: str) -> float:
    """Return the mean over the columns of one kind."""
    return float(np.mean(list(result[kind].values())))


def grouped(cells: Iterable[Cell], key: Callable[[Cell], Any]) -> dict[Any, list[Cell]]:
    """Return the cells by key."""
    found: dict[Any, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[key(cell)].append(cell)
    return dict(found)


def standard_error(rows: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over rows (n, C), (C,); NaN if there is a single row."""
    if len(rows) < 2:
        return np.full(rows.shape[1], np.nan)
    return np.asarray(rows.std(0, ddof=1) / np.sqrt(len(rows)))


def lost_cases(
    contenders: list[str], loss: dict[Cell, np.ndarray], cases: dict[Any, list[Cell]]
) -> list[dict[str, Any]]:
    """Print where another contender is better than ours, the largest losses first, and mark those beyond noise."""
    ours, found = contenders.index(OURS), []
    for case, own in cases.items():
        rows = np.array([loss[cell] for cell in own])
        best = int(rows.mean(0).argmin())
        behind = rows[:, ours] - rows[:, best]
        if behind.mean() > 1e-9:
            errors = {"ours": float(rows[:, ours].mean()), "best": float(rows[:, best].mean())}
            found.append({"case": case, "by": contenders[best], "beyond noise": is_above_zero(behind)} | errors)
    found.sort(key=lambda one: one["best"] / one["ours"])
    marked = sum(one["beyond noise"] for one in found)
    print(
        f"  {OURS} is not the best in {len(found)} of {len(cases)} cases, beyond noise over the seeds (*) in {marked}"
    )
    for one in found:
        name = f"{one['case'][0]}, {one['case'][1]} {one['case'][2]:.0%}"
        star = " *" if one["beyond noise"] else ""
        print(f"    {name:34}{one['ours']:.3f}, {one['by']} {one['best']:.3f}{star}")
    return found


def is_above_zero(differences: np.ndarray) -> bool:
    """Return whether the mean of differences (n,) is above 0 by a t-test; not with fewer than two of them."""
    if len(differences) < 2 or differences.mean() <= 0:
        return False
    error = float(standard_error(differences[:, None])[0])
    return bool(differences.mean() > t.ppf(1 - CHANCE, len(differences) - 1) * error)


def worse_columns(results: Results, cells: list[Cell]) -> list[dict[str, Any]]:
    """Print the columns of which ours is worse than the mean or mode beyond noise, per setting and over all of them.

    Differences are paired: by the seed in a setting, and by the setting and the seed over all.
    """
    found = []
    print(f"\ncolumns worse than {PLAIN}, by a paired t-test that calls {CHANCE:.1%} of equal ones worse")
    settings = sorted({cell[1:3] for cell in cells})
    for setting in [None, *settings]:
        pairs: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
        for cell in cells:
            if setting not in (None, cell[1:3]):
                continue
            for kind in KINDS:
                plain = results[(*cell, PLAIN)][kind]
                for column, loss in results[(*cell, OURS)][kind].items():
                    pairs[cell[0], column, kind].append((loss, plain[column]))
        title = "all settings together" if setting is None else f"{setting[0]} {setting[1]:.0%}"
        worse = [key for key, both in pairs.items() if is_above_zero(np.array(both) @ [1.0, -1.0])]
        print(f"  {title}: {len(worse)} of {len(pairs)}")
        for key in worse:
            ours, plain = np.mean(pairs[key], axis=0)
            found.append({"setting": title, "table": key[0], "column": key[1], "ours": ours, "plain": plain})
            print(f"    {key[0]}, {key[1]} ({key[2]}): {ours:.3f}, {PLAIN} {plain:.3f}, {len(pairs[key])} pairs")
    return found


def report_seconds(results: Results, contenders: list[str], cells: list[Cell]) -> None:
    """Print the seconds of one fit on one table."""
    print(f"\nseconds of the processor\n  {'':20}" + "".join(f"{name:>18}" for name in contenders))
    seconds = np.array([[results[(*cell, name)]["seconds"] for name in contenders] for cell in cells])
    for title, row in (("mean", seconds.mean(0)), ("median", np.median(seconds, 0)), ("largest", seconds.max(0))):
        print(f"  {title:20}" + "".join(f"{value:18.2f}" for value in row))
