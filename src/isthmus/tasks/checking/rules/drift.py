"""Whether rows in use are distributed like those of the training, with few false alarms."""

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from isthmus.data.images import flattened
from isthmus.data.scaling import AffineScaling
from isthmus.engine.compute import compute
from isthmus.estimators.floor import Floor
from isthmus.estimators.inference import Inference
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.anomaly.drift import Drift
from isthmus.tasks.checking.rows_in_use import KnownColumn, RowsInUse, at
from isthmus.tasks.checking.rule import Hit, named, rule
from isthmus.tasks.checking.rules.new_rows import FALSE_ALARM, shares_now
from isthmus.tasks.checking.samples import ColumnSample, places_of
from isthmus.tasks.checking.wording import number, percent

LEAST_ROWS = 30
"""Rows from which a distribution is told from chance."""
LEAST_SHIFT, LEAST_MOVED = 0.25, 0.1
"""Standard deviations by which a mean, and share of the rows by which categories, must have moved to be told."""
LEAST_RATIO, LEAST_FOR_SPREAD, LEAST_OTHERS = 1.5, 100, 10
"""By which a spread must have grown to be told, rows that tell it, and how many rows there may be for each that does
not hold the most frequent value."""
WORSE, SURE = 1.25, 4.0
"""An error so many times that of held-out rows, and by so many standard errors, is told."""
LEAST_DRIFT, DRIFT_CELLS = 100, 20_000
"""Rows of which the drift is asked, at least, and their cells, about: each cell takes a bet."""
DRIFT_ALARM = 0.01
"""Probability that a detector's drift is told of rows that have not changed."""


@rule(
    "moved-columns",
    "warning",
    RowsInUse,
    about="columns whose mean or shares of categories have moved, or whose spread has grown, beyond chance",
    consequence="the model meets rows that it has seen few of",
    mend="fit again with new rows, if they have come to stay",
)
def moved_columns(rows: RowsInUse) -> Iterator[Hit]:
    """Yield the columns that have moved."""
    if rows.sample.looked_at < LEAST_ROWS:
        return
    level = FALSE_ALARM / max(len(rows.known), 1)
    for column in rows.sample.columns:
        known = rows.known.get(column.name)
        if known is None or not len(column.present):
            continue
        counts = shares_now(column, known)
        hit = moved_mean(column, known, level) if counts is None else moved_shares(column, known, counts, level)
        if hit is not None:
            yield hit


def moved_mean(column: ColumnSample, known: KnownColumn, level: float) -> Hit | None:
    """Return how far the mean has moved, in standard deviations of the training, or else how much the spread grew.

    Both are those on the scale that was learned: of logarithms, where these were taken.
    """
    kind = "real" if known.column is None else known.column.kind
    if kind not in ("real", "positive", "count", "boolean", "trend") or column.is_words or known.deviation <= 0:
        return None
    values = column.present
    if known.column is not None and known.column.log_constant:
        values = np.log1p(np.maximum(values, 0) / known.column.log_constant)
    if len(values) < LEAST_ROWS:
        return None
    each = math.sqrt(1 / len(values) + 1 / max(known.rows, 1.0))
    shift, ratio = (float(values.mean()) - known.mean) / known.deviation, float(values.std()) / known.deviation
    chance = 2 * float(stats.norm.sf(abs(shift) / (max(ratio, 1.0) * each)))
    if abs(shift) >= LEAST_SHIFT and chance <= level:
        word = "higher" if shift > 0 else "lower"
        found = f"the mean is {abs(shift):.2g} standard deviations {word} than in training ({in_words(chance)})"
        return Hit(found, abs(shift), (column.name,))
    others = int(column.counts.sum() - column.counts.max())
    if kind == "boolean" or min(len(values), LEAST_OTHERS * others) < LEAST_FOR_SPREAD or ratio < LEAST_RATIO:
        return None
    # The logarithm of a standard deviation varies by the kurtosis, which is known of the new rows alone. It is that of
    # both only if tails are in both: a spread that has shrunk may have lost a few wild rows by chance.
    vary = each * math.sqrt(max(float(stats.kurtosis(values, fisher=False)) - 1, 1.0)) / 2
    chance = float(stats.norm.sf(math.log(ratio) / vary))
    if chance > level:
        return None
    return Hit(f"the spread is {ratio:.2g} times that of the training ({in_words(chance)})", ratio, (column.name,))


def in_words(chance: float) -> str:
    """Return a p-value in words.

    >>> in_words(0.0004), in_words(0.0)
    ('p = 0.0004', 'p < 1e-99')
    """
    return f"p = {chance:.1g}" if chance > 1e-99 else "p < 1e-99"


def moved_shares(column: ColumnSample, known: KnownColumn, counts: np.ndarray, level: float) -> Hit | None:
    """Return which part of the rows has moved to other categories."""
    assert known.column is not None, "categories have a kind"
    cells, shares = float(counts.sum()), np.array(known.column.shares)
    moved = float(np.abs(counts / cells - shares).sum()) / 2
    pooled = (counts + shares * known.rows) / (cells + known.rows)
    used = pooled > 0
    squares = (counts[used] / cells - shares[used]) ** 2 / pooled[used]
    statistic = float(squares.sum()) / (1 / cells + 1 / max(known.rows, 1.0))
    chance = float(stats.chi2.sf(statistic, max(int(used.sum()) - 1, 1)))
    if cells < LEAST_ROWS or moved < LEAST_MOVED or chance > level:
        return None
    most = int(np.argmax(np.abs(counts / cells - shares)))
    level_name = next((name for name, cell in zip(known.column.levels, known.column.places) if cell == most), None)  # noqa: B905
    which = "unknown categories" if level_name is None else f"{level_name!r}"
    found = f"{percent(moved)} of the rows are in other categories than in training: {which} has "
    found += f"{percent(float(counts[most]) / cells)} now, {percent(float(shares[most]))} then ({in_words(chance)})"
    return Hit(found, moved, (column.name,))


@rule(
    "error-above-training",
    "warning",
    RowsInUse,
    about="a reconstruction error above that of the rows that were held out of training",
    consequence="codes hold less of these rows than of those of the training",
    mend="look which columns have moved; fit again with such rows if they have come to stay",
)
def error_above_training(rows: RowsInUse) -> Iterator[Hit]:
    """Yield how many times the error is that of held-out rows, for tables of numbers compared with PCA."""
    model, table = rows.model, rows.table
    floor: Floor | None = None if model is None else model.record.floor
    if model is None or table is None or floor is None or len(table) < LEAST_ROWS or floor.kept_error <= 0:
        return
    if not isinstance(model.scaling, AffineScaling) or not floor.method.startswith("PCA with"):
        return
    inference = Inference(model, compute("cpu"))
    numbers = np.asarray(table.drawn(slice(None)), dtype=np.float64)
    scale = model.scaling.scale.numpy()
    with np.errstate(over="ignore"):
        errors = np.nanmean(((numbers - inference.reconstruct(table)) / scale) ** 2, axis=1)
    errors = errors[np.isfinite(errors)]
    # The mean of the middle rows: a few odd rows are for a detector to find.
    above = float(errors.mean()) / floor.kept_error
    error = float(errors.std()) * math.sqrt(1 / len(errors) + 1 / max(floor.rows, 1))
    typical = float(np.median(errors)) / floor.kept_error
    if above >= WORSE and typical >= WORSE / 2 and float(errors.mean()) - floor.kept_error >= SURE * error:
        found = f"the error is {above:.3g} times that of held-out rows ({number(float(errors.mean()))} against "
        yield Hit(found + f"{number(floor.kept_error)}, in scaled units)", above)


@rule(
    "drift",
    "warning",
    RowsInUse,
    about="rows that a detector tells from those that were held out of its training, by a test of their ranks",
    consequence="p-values and decisions do not hold for rows that have changed",
    mend="fit again with new rows, or calibrate(X) with rows known to be normal",
)
def drift(rows: RowsInUse) -> Iterator[Hit]:
    """Yield what the drift of a detector says, unless the rows are those that it was trained on."""
    detector = rows.estimator
    if not isinstance(detector, AnomalyDetector) or rows.table is None or rows.sample.looked_at < LEAST_ROWS:
        return
    found = drift_of(detector, rows)
    if found is not None and (found.changed or found.columns):
        which = f"; columns {named(found.columns)}" if found.columns else ""
        since = f" after {found.since:,} of {found.looked_at:,} rows" if found.since is not None else ""
        what = f"an alarm{since}: the evidence of a change is {found.evidence:.3g}, alarm at {1 / DRIFT_ALARM:g}{which}"
        yield Hit(what, min(found.evidence, 1e300))


def drift_of(detector: AnomalyDetector, rows: RowsInUse) -> Drift | None:
    """Return the drift of rows; None for rows of the training, and where no rows were held out of it."""
    try:
        scores = -detector.score_samples(rows.given)
        if np.isin(np.round(scores, 9), np.round(detector.decision_scores_, 9)).mean() > 0.9:
            return None
        most = max(LEAST_DRIFT, DRIFT_CELLS // max(rows.schema.n_features, 1))
        given = flattened(rows.given)[0]
        places = places_of(rows.sample.looked_at, most)
        return detector.drift(given if len(places) == len(given) else at(given, places), false_alarm=DRIFT_ALARM)
    except ValueError:
        return None
