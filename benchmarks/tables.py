"""Tables with gaps and categories: what is filled in, found and told from codes, ours beside scikit-learn's.

python -m benchmarks.tables PART [--cache FILE] [--without NAME ...] [--redo NAME ...] [--tables NAME ...] [--seeds N]
    [--rows N] [--columns N] [--processes N] [--report-only] [--json FILE]

Tables are scikit-learn's iris, wine, breast_cancer, diabetes and digits and, if ISTHMUS_DATA is set, those in its
folder `adbench`. Duplicate rows and constant columns are dropped; a seed draws at most --rows rows and --columns
columns.

imputation (5 seeds). 10, 30 and 50 % of cells removed: at random ("mcar"), or with a probability that rises or falls
with the cell's own value, 2 log odds a standard deviation, the sign by a coin for each column ("mnar"). The imputers
are fitted on the table that they fill in: the column's mean, KNNImputer (5 neighbours), IterativeImputer (Bayesian
ridge, 10 rounds), a MissForest-style one (`benchmarks.imputation.forests` says what differs), and ours. Ours gets raw
values, the peers standardised ones. RMSE and MAE of the removed cells are in standard deviations of the complete
column; a table's errors are averaged over the seeds, then ranked (1 is best), and standard errors are over the tables.

mixed (3 seeds). 5,000 rows of 26 columns (real, skewed, counts, booleans, categories) made by four normal factors, a
tenth of the cells missing; a model with four latent coordinates is trained on the first 4,000. On the others: canonical
correlations of codes and factors (those of a ridge regression that is told the factors show what can be had), squared
errors over the variance, and the share of right categories beside that of the most frequent ones.

probe (3 seeds). Tables with classes, plain and mixed: a third of the columns cut into four quantile bins, a tenth of
the cells missing. A third of the rows is held out; rare classes keep up to half of an equal share of the rows. k is
what PCA of the standardised and one-hot training matrix needs for 90 % of its variance, at most 16 and below the number
of columns.
Error: of observed held-out cells, over that of the column's mean or most frequent level (squared for numbers, wrong
ones for categories), averaged over the columns. Accuracy: balanced, of a logistic regression with balanced classes on
standardised codes.

Results are kept line by line in --cache, by table, seed, contender and settings; a rerun makes those that are missing.
--redo NAME makes a contender's again, after the library has changed.
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
    found.add_argument("--rows", type=int, help="at most, of each table: 1,000; of mixed: 5,000")
    found.add_argument("--columns", type=int, help="at most, of each table: 50 for imputation, 200 for probe")
    options = found.parse_args()
    report = PARTS[options.part](options, Cache(options.cache))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    sys.exit(report.get("failed", 0) > 0)


if __name__ == "__main__":
    main()
