"""Whether a column that is added to a table of numbers makes its other columns worse."""

from argparse import Namespace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cached import Cache, Job, complete
from benchmarks.fillers import contenders, timed
from benchmarks.gaps import names
from benchmarks.imputation import SEEDS, Size
from benchmarks.imputation_report import is_above_zero, standard_error
from benchmarks.mixed_tables import hidden, is_category, losses, sample

ADDED, NOTHING = "added", "nothing"
COLUMNS = (NOTHING, "noise", "rare", "informative")
RATE = 0.3
LEVELS, RARE, NOISE = 5, 0.02, 0.5
"""Values of a noise text and of an informative one, the share of the rare value, and the noise of the informative."""


def added(table: pd.DataFrame, kind: str, seed: int) -> pd.DataFrame:
    """Return the table with one more column of texts, at its end.

    "noise": five values at random. "rare": one value in 2 % of the rows, at random, and another in all others.
    "informative": the fifth of the rows by the first column that is a number, after noise of half its standard
    deviation. "nothing": the table itself.
    """
    rng = np.random.default_rng([seed, 3])
    n = len(table)
    if kind == NOTHING:
        return table
    if kind == "noise":
        texts = rng.choice([f"value {level}" for level in range(LEVELS)], n)
    elif kind == "rare":
        texts = np.full(n, "usual", dtype=object)
        texts[rng.permutation(n)[: max(3, round(RARE * n))]] = "rare"
    else:
        source = table[informed(table)]
        noisy = (source - source.mean()) / source.std() + NOISE * rng.normal(size=n)
        texts = np.array([f"fifth {level}" for level in pd.qcut(noisy, LEVELS, labels=False)], dtype=object)
    return table.assign(**{ADDED: texts})


def numbers(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns that are numbers other than 0 and 1."""
    return [str(c) for c in table if not is_category(table[c])]


def informed(table: pd.DataFrame) -> str:
    """Return the name of the column that the informative text tells of."""
    return numbers(table)[0]


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    size = Size.of(options)
    chosen = [name for name in contenders(size.forests) if name not in options.without]
    settings = {name: size.settings(name) for name in chosen}
    cases = [
        (seed, table)
        for seed in range(options.seeds or SEEDS)
        for table in options.tables or names()
        if len(numbers(sample(table, size.rows, size.columns, seed))) > 1
    ]
    jobs: list[Job] = [
        {"part": "added", "table": table, "column": column, "seed": seed}
        | {"contender": name, "settings": settings[name]}
        for seed, table in cases
        for name in chosen
        for column in COLUMNS
    ]
    failed = 0
    if not options.report_only:
        failed = complete(jobs, partial(measured, size=size), cache, options.processes, options.redo)
    found = {(j["contender"], j["column"], j["table"], j["seed"]): r for j in jobs if (r := cache.get(j)) is not None}
    return {"failed": failed} | {name: report(name, found) for name in chosen}


def measured(job: Job, size: Size) -> dict[str, Any]:
    """Remove 30 % of the cells, the same ones whatever is added, and measure the errors in the table's own columns."""
    table = sample(job["table"], size.rows, size.columns, job["seed"])
    removed = hidden(table, "mcar", RATE, job["seed"])
    larger = added(table, job["column"], job["seed"])
    gone = np.random.default_rng([job["seed"], 4]).random(len(table)) < RATE
    with_gaps = larger.mask(removed.assign(**{ADDED: gone})[list(larger)])
    imputer = contenders(size.forests)[job["contender"]](job["seed"])
    filled, seconds = timed(imputer, with_gaps)
    errors = losses(table, removed, filled)["numbers"]
    return {
        "informed": errors.pop(informed(table)),
        "others": float(np.mean(list(errors.values()))),
        "seconds": seconds,
    }


def report(name: str, found: dict[tuple[str, str, str, int], dict[str, Any]]) -> dict[str, Any]:
    """Print by how much each added column changes the errors of one contender, and the tables it makes worse."""
    print(f"\n{name}: RMSE in sd of numbers, {RATE:.0%} of the cells removed at random")
    reported: dict[str, Any] = {}
    for column in COLUMNS[1:]:
        for what in ("informed", "others") if column == "informative" else ("others",):
            pairs = [
                (table, result[what], found[name, NOTHING, table, seed][what])
                for (who, which, table, seed), result in found.items()
                if (who, which) == (name, column) and (name, NOTHING, table, seed) in found
            ]
            if not pairs:
                continue
            changes = {table: np.array([b - a for own, b, a in pairs if own == table]) for table, *_ in pairs}
            mean = np.array([values.mean() for values in changes.values()])
            error = float(standard_error(mean[:, None])[0])
            before, after = np.mean([a for *_, a in pairs]), np.mean([b for _, b, _ in pairs])
            worse = {table: float(values.mean()) for table, values in changes.items() if is_above_zero(values)}
            title = f"{column} text, {'the column it tells of' if what == 'informed' else 'other columns'}"
            print(f"  {title:42}{before:.4f} -> {after:.4f}, change {mean.mean():+.4f} ± {error:.4f} over the tables")
            print(f"    higher on {(mean > 0).sum()} of {len(mean)} tables; beyond noise over seeds: {worse or 'none'}")
            reported[title] = {"change": float(mean.mean()), "standard error": error, "worse": worse}
    return reported
