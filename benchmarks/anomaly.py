"""Anomalies: how well they are found, how far decisions can be trusted, how well they are explained, at what speed.

python -m benchmarks.anomaly PART [--cache FILE] [--without NAME ...] [--redo NAME ...] [--tables NAME ...] [--seeds N]
    [--rows N] [--processes N] [--report-only] [--json FILE]

detect (5 seeds). ADBench's tables in the folder `adbench` of ISTHMUS_DATA, without rows that are there twice and
without constant columns. "clean" (one-class): fit on a shuffled half of the normal rows, at most --rows (10,000), score
the other half and all anomalies (as many at most). "contaminated" (unsupervised): fit and score the same rows. PyOD's
AutoEncoder, VAE, IForest, ECOD, HBOS, KNN, MCD, PCA and LOF and scikit-learn's IsolationForest at their defaults, on
raw values; MCD not on tables of more than 500 columns, where it takes hours. Seconds are of fit and score, one thread.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import anomaly_detect
from benchmarks.cached import PLACE, Cache

PARTS = {"detect": anomaly_detect.compare}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--cache", type=Path, default=PLACE, help=f"JSON lines, {PLACE} if not given")
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME", help="contenders to leave out")
    parser.add_argument("--redo", nargs="+", default=[], metavar="NAME", help="contenders to measure again")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--seeds", type=int, help="how many, from 0 on, in place of the part's own number")
    parser.add_argument("--rows", type=int, help="at most, in place of the part's own number")
    parser.add_argument("--processes", type=int, default=1, help="of one thread each")
    parser.add_argument("--report-only", action="store_true", help="of what the cache holds, measuring nothing")
    parser.add_argument("--json", type=Path, help="write the report's numbers there")
    options = parser.parse_args()
    found = PARTS[options.part](options, Cache(options.cache))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if found.get("failed") else 0)


if __name__ == "__main__":
    main()
