"""Anomalies: detection, validity of the decisions, explanations, and speed.

python -m benchmarks.anomaly PART [--cache FILE] [--without NAME ...] [--redo NAME ...] [--tables NAME ...] [--seeds N]
    [--rows N] [--processes N] [--report-only] [--json FILE]

detect (5 seeds). ADBench's tables in the folder `adbench` of ISTHMUS_DATA, without duplicate rows and constant columns.
"clean" (one-class): fit on a shuffled half of the normal rows, at most --rows (10,000), and score the other half and
all anomalies (at most as many). "contaminated" (unsupervised): fit and score the same rows. "oddbench": the tables in
the folder `oddbench` with their own splits, clean rows to fit. The others are PyOD's AutoEncoder, VAE, IForest, ECOD,
HBOS, KNN, MCD, PCA and LOF and scikit-learn's IsolationForest with their defaults, on raw values, and 5 nearest
neighbours and MCD behind a StandardScaler. MCD skips tables with more than 500 columns, where it takes hours. Seconds
are those of fit and score on one thread.

validity (200 splits of each table with enough rows). Fit on up to 2,000 normal rows, a fifth of which calibrates. Shown
are the share of 400 new normal rows with p at most .01, .05 and .1, and, with 40 anomalies among them, the realised
share of normal rows among those called anomalies at a false discovery rate of .1, and the share of anomalies found.

reasons (3 seeds). One to three cells of normal rows are replaced by those of other rows that differ by at least half a
standard deviation. Shown is how many of them are among the first three columns by our contributions, by the
standardised distance from the mean, by the residual of a ridge regression on all other columns (EASE), and by the SHAP
values of an IsolationForest (Lundberg et al. 2020).

classes. Fit on one digit and score the test digits of all classes: MNIST images, and spoken digits as 16 x 16 cells of
the log power of a spectrogram; next to scikit-learn's IsolationForest and the error of a PCA that explains 90 % of the
variance.

decisions (3 seeds). Without any parameter. F1 of the training rows called anomalies, contaminated, at most 3,000 rows
of each table, next to IsolationForest's contamination="auto", shares of .05 and .1, and PyThresh's rules with their
defaults (left out by --without PyThresh), all on our scores and on IsolationForest's; made-up rows with 0 to 30 % of
obvious anomalies; false alarms where few clean rows are given; what 1, 5 and 20 known anomalies add on the other rows.

scale. --rows (10 million) of 30 columns in a Parquet file: fit and score by --method, with the peak memory.
"""

import json
import sys

from benchmarks import (
    anomaly_classes,
    anomaly_decisions,
    anomaly_detect,
    anomaly_reasons,
    anomaly_scale,
    anomaly_validity,
)
from benchmarks.cached import Cache
from benchmarks.options import parser

PARTS = {
    "detect": anomaly_detect.compare,
    "validity": anomaly_validity.compare,
    "reasons": anomaly_reasons.compare,
    "classes": anomaly_classes.compare,
    "decisions": anomaly_decisions.compare,
    "scale": anomaly_scale.compare,
}


def main() -> None:
    """Measure and print."""
    found = parser(__doc__, PARTS)
    found.add_argument("--method", default="auto", help="method of the part scale")
    found.add_argument("--rows", type=int, help="maximum number of rows (default: the part's own number)")
    options = found.parse_args()
    report = PARTS[options.part](options, Cache(options.cache))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(1 if report.get("failed") else 0)


if __name__ == "__main__":
    main()
