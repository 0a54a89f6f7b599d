"""How well removed cells of mixed tables are filled in: our imputer and five others."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.cached import Cache, Job, complete, digest
from benchmarks.fillers import Forests, contenders, timed
from benchmarks.imputation_report import Results, report
from benchmarks.mixed_tables import hidden, losses, names, sample

MECHANISMS = ("mcar", "mar", "mnar")
RATES = (0.1, 0.3, 0.5)
ROWS, COLUMNS, SEEDS = 500, 20, 5


@dataclass(frozen=True)
class Size:
    """How large tables and forests may be."""

    rows: int
    columns: int
    forests: Forests

    @classmethod
    def of(cls, options: Namespace) -> "Size":
        """Return what the command line asks for."""
        return cls(options.rows or ROWS, options.columns or COLUMNS, Forests(options.trees, options.rounds))

    def settings(self, name: str) -> str:
        """Return a short name of what the results of a contender depend on."""
        return digest("one frame", self.rows, self.columns, contenders(self.forests)[name](0))


def add_options(parser: ArgumentParser) -> None:
    """Add the options of this part and of `benchmarks.added_column`."""
    parser.add_argument("--trees", type=int, default=Forests.trees, help="trees of each forest (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=Forests.rounds, help="rounds of forests (default: %(default)s)")
    parser.add_argument("--mechanisms", nargs="+", choices=MECHANISMS, default=MECHANISMS, help="default: all")
    parser.add_argument("--rates", nargs="+", type=float, default=RATES, help="shares of cells (default: %(default)s)")


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print the report."""
    size = Size.of(options)
    chosen = [name for name in contenders(size.forests) if name not in options.without]
    jobs, failed = planned(options, size, chosen), 0
    if not options.report_only:
        failed = complete(jobs, partial(measured, size=size), cache, options.processes, options.redo)
    results: Results = {}
    for job in jobs:
        if (result := cache.get(job)) is not None:
            results[job["table"], job["mechanism"], job["rate"], job["seed"], job["contender"]] = result
    print(f"\n{len(results)} of {len(jobs)} measurements")
    return report(results, chosen) | {"failed": failed}


def planned(options: Namespace, size: Size, chosen: list[str]) -> list[Job]:
    """Return all measurements, seed by seed, so that whole seeds are complete after an early stop."""
    settings = {name: size.settings(name) for name in chosen}
    return [
        {"part": "imputation", "table": table, "mechanism": mechanism, "rate": rate, "seed": seed}
        | {"contender": name, "settings": settings[name]}
        for seed in range(options.seeds or SEEDS)
        for table in options.tables or names()
        for mechanism in options.mechanisms
        for rate in options.rates
        for name in chosen
    ]


def measured(job: Job, size: Size) -> dict[str, Any]:
    """Remove cells, fill them in, and compare with the true values."""
    table = sample(job["table"], size.rows, size.columns, job["seed"])
    removed = hidden(table, job["mechanism"], job["rate"], job["seed"])
    imputer = contenders(size.forests)[job["contender"]](job["seed"])
    filled, seconds = timed(imputer, table.mask(removed))
    return losses(table, removed, filled) | {"seconds": seconds}
