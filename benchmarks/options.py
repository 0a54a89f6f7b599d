"""Command-line options that benchmarks with several parts share."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cached import PLACE


def parser(description: str | None, parts: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser of the part to run, what to measure, and where results are kept and written."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("part", choices=list(parts))
    found.add_argument("--cache", type=Path, default=PLACE, help=f"file of JSON lines for results (default: {PLACE})")
    found.add_argument("--without", nargs="+", default=[], metavar="NAME", help="contenders to leave out")
    found.add_argument("--redo", nargs="+", default=[], metavar="NAME", help="contenders to measure again")
    found.add_argument("--tables", nargs="+", metavar="NAME", help="tables to measure (default: all)")
    found.add_argument("--seeds", type=int, help="number of seeds, starting at 0 (default: the part's own number)")
    found.add_argument("--processes", type=int, default=1, help="number of processes, each with one thread")
    found.add_argument("--report-only", action="store_true", help="report what the cache holds and measure nothing")
    found.add_argument("--json", type=Path, help="write the numbers of the report to this file")
    return found
