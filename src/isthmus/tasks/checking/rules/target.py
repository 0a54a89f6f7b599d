"""What a target brings with it: columns that give it away, gaps, classes that are rare."""

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.targets import is_class, named_target
from isthmus.tasks.checking.wording import of, percent

MOST_ROWS, LEAST_ROWS, LEAST_OF_CLASS, MOST_CELLS = 10_000, 40, 5, 1_000_000
"""Rows that a column is tried on, at most and at least, held-out rows of each class at least, and cells in all."""
LEAK = {"AUROC": 0.995, "balanced accuracy": 0.985, "R²": 0.99}
"""Held-out figures from which a single column gives the target away."""
LEAVES = 1000
"""Training rows per leaf of a tree, at least, are the rows divided by this."""
RARE, VERY_RARE = 0.05, 0.01
FEW_OF_CLASS = 10


@rule(
    "target-leak",
    "warning",
    TableSample,
    about="a column that alone predicts the target almost perfectly on held-out rows",
    consequence="it may be written after the target is known, or because of it: then nothing that is measured with it "
    "holds for new rows",
    mend="ask when {column} is known; leave it out of X if that is after the target",
    fitting=True,
)
def target_leaks(sample: TableSample) -> Iterator[Hit]:
    """Yield the columns that give the target away."""
    target = sample.target
    if target is None or target.distinct < 2:
        return
    for column in sample.columns:
        if same := says_the_same(column, target):
            mend = "leave {column} out of X"
            yield Hit(same, 1.0, (column.name,), severity="error", consequence="it is the target itself", mend=mend)
    rows = rows_to_try(target)
    if rows is None:
        return
    most = max(LEAST_ROWS, MOST_CELLS // (2 * max(len(sample.columns), 1)))
    for column in sample.columns:
        if column.distinct < 2 or says_the_same(column, target):
            continue
        found = predicted(column, target, rows[0][:most], rows[1][:most])
        if found is not None and found[1] >= LEAK[found[0]]:
            yield Hit(f"{found[0]} {found[1]:.4g} on held-out rows from this column alone", found[1], (column.name,))


def says_the_same(column: ColumnSample, target: ColumnSample) -> str:
    """Return in words why a column is the target under another name; "" if it is not."""
    both = (column.codes >= 0) & (target.codes >= 0)
    if both.sum() < LEAST_ROWS or both.sum() < 0.5 * (target.codes >= 0).sum():
        return ""
    one, other = column.codes[both], target.codes[both]
    pairs = len(np.unique(one.astype(np.int64) * (target.distinct + 1) + other))
    # Values that are all different are in a pair of their own with any others.
    if pairs != len(np.unique(one)) or pairs != len(np.unique(other)):
        return ""
    if 2 * pairs <= both.sum():
        return "each of its values goes with one value of the target, and each of the target's with one of its own"
    ranks = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    alike = (ranks[0] == ranks[1]).all() or (ranks[0] == pairs - 1 - ranks[1]).all()
    ordered = not (column.is_words or target.is_words) and alike
    return "it rises or falls with the target in every row" if ordered and not is_sorted(target) else ""


def is_sorted(target: ColumnSample) -> bool:
    """Whether the rows are sorted by the target, so that a running number rises with it."""
    return bool((np.diff(target.codes[target.codes >= 0]) >= 0).all())


def rows_to_try(target: ColumnSample) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the positions of rows to learn from and of rows to measure on; None if there are too few."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.flatnonzero(target.codes >= 0))[:MOST_ROWS]
    half = len(rows) // 2
    if len(rows) < LEAST_ROWS:
        return None
    if is_class(target):
        held_out = np.bincount(target.codes[rows[half:]], minlength=target.distinct)
        common = np.flatnonzero(held_out >= LEAST_OF_CLASS)
        if len(common) < 2:
            return None
        rows = rows[np.isin(target.codes[rows], common)]
        half = len(rows) // 2
    return rows[:half], rows[half:]


def predicted(
    column: ColumnSample, target: ColumnSample, training: np.ndarray, held_out: np.ndarray
) -> tuple[str, float] | None:
    """Return how well a column alone predicts the target on held-out rows: the measure, and the figure."""
    leaf = max(2, len(training) // LEAVES)
    x, y = column.values, target.codes if is_class(target) else target.values
    if column.is_words:
        x = encoded_by_target(column.codes, y.astype(np.float64), training)
    x = np.where(np.isfinite(x), np.clip(x, -1e30, 1e30), np.nan).astype(np.float32)[:, None]
    if np.isnan(x[training]).all():
        return None
    if not is_class(target):
        tree = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0).fit(x[training], y[training])
        return "R²", max(float(r2_score(y[held_out], tree.predict(x[held_out]))), straight(x[held_out, 0], y[held_out]))
    if len(np.unique(y[training])) < 2 or len(np.unique(y[held_out])) < 2:
        return None
    classifier = DecisionTreeClassifier(min_samples_leaf=leaf, random_state=0).fit(x[training], y[training])
    if len(classifier.classes_) == 2 and len(np.unique(y[held_out])) == 2:
        return "AUROC", float(roc_auc_score(y[held_out], classifier.predict_proba(x[held_out])[:, 1]))
    return "balanced accuracy", float(balanced_accuracy_score(y[held_out], classifier.predict(x[held_out])))


def straight(x: np.ndarray, y: np.ndarray) -> float:
    """Return the squared correlation of numbers (n,), NaN where missing; 0 where most are missing or all agree."""
    there = ~np.isnan(x)
    x, y = x[there].astype(np.float64), y[there]
    if 2 * len(x) < len(there) or len(x) < 3 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1]) ** 2


def encoded_by_target(codes: np.ndarray, y: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return words as the mean of the target in the training rows that have them, (n,); NaN of words not seen there."""
    levels = int(codes.max()) + 1
    seen = training[codes[training] >= 0]
    counts = np.bincount(codes[seen], minlength=levels)
    sums = np.bincount(codes[seen], y[seen], minlength=levels)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    return np.where(codes >= 0, means[codes], np.nan)


@rule(
    "rare-class",
    "note",
    TableSample,
    about="a target with a class of few rows",
    consequence="accuracy is high for a model that never names the class, and few rows of it are held out",
    mend="measure average precision or balanced accuracy, and stratify splits of your own",
    fitting=True,
)
def rare_classes(sample: TableSample) -> Iterator[Hit]:
    """Yield the rarest class of the target."""
    target = sample.target
    if target is None or not is_class(target) or target.distinct < 2:
        return
    rows, least = int(target.counts.sum()), int(target.counts.min())
    share = least / rows
    if share < RARE or least < FEW_OF_CLASS:
        few = share < VERY_RARE or least < FEW_OF_CLASS
        level = target.levels[int(target.counts.argmin())]
        found = f"class {level!r} of the target has {of(least, rows)}"
        yield Hit(found, share, named_target(target), severity="warning" if few else "")


@rule(
    "target-gaps",
    "note",
    TableSample,
    about="rows without a target",
    consequence="they count in the fit, which needs no target, and not in what is measured by it",
    mend="nothing; or leave these rows out",
    fitting=True,
)
def target_gaps(sample: TableSample) -> Iterator[Hit]:
    """Yield the share of rows whose target is missing."""
    if sample.target is not None and (missing := sample.target.cells.missing).any():
        share = float(missing.mean())
        yield Hit(f"{percent(share)} of the rows have no target", share, named_target(sample.target))
