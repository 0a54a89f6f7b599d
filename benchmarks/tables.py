"""Tables with missing cells and categories: imputation, recovered factors and linear probes, next to scikit-learn.

python -m benchmarks.tables PART [--cache FILE] [--without NAME ...] [--redo NAME ...] [--tables NAME ...] [--seeds N]
    [--rows N] [--columns N] [--processes N] [--report-only] [--json FILE] [--trees N] [--rounds N]
    [--mechanisms NAME ...] [--rates SHARE ...]

Tables are scikit-learn's iris, wine, breast_cancer, diabetes and digits and, if ISTHMUS_DATA is set, those in its
folders `adbench` and, for imputation, `tables`. Duplicate rows and constant columns are dropped; a seed draws at most
--rows rows and --columns columns.

imputation (5 seeds). 10, 30 and 50 % of the cells are removed (--rates): at random ("mcar"), or with a probability that
rises or falls, by 2 log odds per standard deviation with a random sign per column, with the value of a cell of the row
that is never removed ("mar"; a third of the columns is kept) or with that of the cell itself ("mnar"). Texts count as
numbers drawn for each value; text columns that name rows are left out. The imputers are fitted on the table that they
fill in: mean or mode, KNNImputer (5 neighbours), IterativeImputer with ridge regressions (10 rounds) and with random
forests (--trees, --rounds; the square root of the columns at each split), forests that vote on categories and stop as
MissForest does (`benchmarks.fillers.MissForest`), and ours with `fill="mean"`. Those of scikit-learn get standardised
columns, and texts as one column per value (but the first, for regressions), of which the largest is taken back. Numbers
are judged by the RMSE in standard deviations of the column, categories (texts, and numbers that are 0 or 1) by the
share of wrong ones, both averaged over the columns and seeds of a table and then ranked (1 is best).

added (5 seeds). One column of texts is added to tables of numbers: noise, a value in 2 % of the rows, or a noisy copy
of one column cut into fifths. 30 % of the cells are removed at random, the same ones with and without that column, and
the errors of the table's own columns are compared.

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

from benchmarks import added_column, imputation, mixed, probe
from benchmarks.cached import Cache
from benchmarks.options import parser

PARTS = {
    "imputation": imputation.compare,
    "added": added_column.compare,
    "mixed": mixed.compare,
    "probe": probe.compare,
}


def main() -> None:
    """Measure and print."""
    found = parser(__doc__, PARTS)
    found.add_argument(
        "--rows",
        type=int,
        help="maximum per table (default: 500 for imputation and added, 5,000 for mixed, 1,000 for probe)",
    )
    found.add_argument(
        "--columns", type=int, help="maximum per table (default: 20 for imputation and added, 200 for probe)"
    )
    imputation.add_options(found)
    options = found.parse_args()
    report = PARTS[options.part](options, Cache(options.cache))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    sys.exit(report.get("failed", 0) > 0)


if __name__ == "__main__":
    main()
