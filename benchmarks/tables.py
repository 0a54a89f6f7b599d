"""Tables with missing cells and categories: imputation, recovered factors and linear probes, next to scikit-learn.

python -m benchmarks.tables PART [--cache FILE] [--without NAME ...] [--redo NAME ...] [--tables NAME ...] [--seeds N]
    [--rows N] [--columns N] [--processes N] [--report-only] [--json FILE]

Tables are scikit-learn's iris, wine, breast_cancer, diabetes and digits and, if ISTHMUS_DATA is set, those in its
folder `adbench`. Duplicate rows and constant columns are dropped; a seed draws at most --rows rows and --columns
columns.

imputation (5 seeds). 10, 30 and 50 % of the cells are removed: at random ("mcar"), or with a probability that rises or
falls with the value of the cell, by 2 log odds per standard deviation with a random sign per column ("mnar"). The
imputers are fitted on the table that they fill in: the column's mean, KNNImputer (5 neighbours), IterativeImputer
(Bayesian ridge, 10 rounds), a MissForest-style one (`benchmarks.imputation.forests` says what differs), and ours. Ours
gets raw values, the others standardised ones. RMSE and MAE of the removed cells are in standard deviations of the
complete column. The errors of a table are averaged over the seeds, then ranked (1 is best). Standard errors are over
the tables.

mixed (3 seeds). 5,000 rows of 26 columns (real, skewed, counts, booleans, categories) are generated from four normal
factors, with a tenth of the cells missing. A model with a code of four numbers is trained on the first 4,000. On the
others are measured: canonical correlations of codes and factors (a ridge regression that is given the factors shows
what is possible), squared errors relative to the variance, and the share of correct categories next to that of the most
frequent ones.

probe (3 seeds). Tables with classes, plain and mixed (a third of the columns cut into four quantile bins, a tenth of
the cells missing). A third of the rows is held out; rare classes keep up to half of an equal share of the rows. The
code size k is the number of principal components of the standardised and one-hot training matrix that explain 90 % of
its variance, at most 16 and below the number of columns.
Error: that of observed held-out cells (squared errors of numbers, share of wrong categories), relative to the column's
mean or most frequent level, averaged over the columns. Accuracy: the balanced accuracy of a logistic regression with
balanced classes on standardised codes.

Results are kept in --cache, one line per table, seed, contender and settings; a rerun makes those that are missing.
--redo NAME measures a contender again, for example after the library has changed.
"""

import json
import sys

from benchmarks import imputation, mixed, probe
from benchmarks.cached import Cache
from benchmarks.options import parser

PARTS = {"imputation": imputation.compare, "mixed": mixed.compare, "probe": probe.compare}


def main() -> None:
    """Measure and print."""
    found = parser(__doc__, PARTS)
    found.add_argument("--rows", type=int, help="maximum per table (default: 1,000; mixed: 5,000)")
    found.add_argument("--columns", type=int, help="maximum per table (default: 50 for imputation, 200 for probe)")
    options = found.parse_args()
    report = PARTS[options.part](options, Cache(options.cache))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    sys.exit(report.get("failed", 0) > 0)


if __name__ == "__main__":
    main()
