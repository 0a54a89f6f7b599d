"""Options that benchmarks of several parts have in common."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cached import PLACE


def parser(description: str | None, parts: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser for a part, what to measure, and where results are and go."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("part", choices=list(parts))
    found.add_argument("--cache", type=Path, default=PLACE, help=f"JSON lines, {PLACE} if not given")
    found.add_argument("--without", nargs="+", default=[], metavar="NAME", help="contenders to leave out")
    found.add_argument("--redo", nargs="+", default=[], metavar="NAME", help="contenders to measure again")
    found.add_argument("--tables", nargs="+", metavar="NAME", help="these alone")
    found.add_argument("--seeds", type=int, help="how many, from 0 on, in place of the part's own number")
    found.add_argument("--processes", type=int, default=1, help="of one thread each")
    found.add_argument("--report-only", action="store_true", help="of what the cache holds, measuring nothing")
    found.add_argument("--json", type=Path, help="write the report's numbers there")
    return found
