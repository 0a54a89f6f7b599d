"""What a fitted detector says of itself: how it decides, by how many held-out rows, and beside which floor."""

from collections.abc import Iterator

from isthmus.tasks.anomaly.calibration import units
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.wording import of

FEW = 100
"""Calibration rows of which fewer cannot tell one row in a hundred."""
MANY = 0.25
"""Share of the training rows that may be anomalies."""
BEHIND = 0.02
"""AUROC by which a single method may be ahead of the detector on anomalies that are made."""


@rule(
    "few-calibration-rows",
    "warning",
    AnomalyDetector,
    about="few rows by which p-values are told, or none",
    consequence="no p-value is smaller than one over their number, so that strict levels find nothing",
    mend="calibration_fraction=0.3, more rows, or calibrate(X) with rows known to be normal",
)
def few_calibration_rows(detector: AnomalyDetector) -> Iterator[Hit]:
    """Yield how many rows p-values are compared with."""
    fitted = detector.fitted_detector()
    if fitted is None:
        return
    calibration = fitted.trained.calibration
    if not calibration.rows:
        consequence = "there are no p-values, drift cannot be measured, and thresholds follow the training rows"
        yield Hit("no rows were held out for calibration", 0.0, severity="note", consequence=consequence)
    elif (count := units(calibration) if calibration.ready else calibration.rows) < FEW:
        yield Hit(f"{count:,} rows (or groups) calibrate: the smallest p-value is 1/{count + 1}", float(count))


@rule(
    "many-anomalies",
    "warning",
    AnomalyDetector,
    about="a large part of the training rows called anomalies",
    consequence="what is so frequent is a second kind of normal rows, or the threshold is too low",
    mend="look at the rows with report(X); contamination= or alpha= set the share that is called",
)
def many_anomalies(detector: AnomalyDetector) -> Iterator[Hit]:
    """Yield the share of the training rows that is called anomalies."""
    decision = detector.decision_
    share = decision.called / max(decision.rows, 1)
    if share > MANY and decision.rule != "contamination":
        yield Hit(of(decision.called, decision.rows, "training rows") + " are called anomalies", share)


@rule(
    "no-anomaly-possible",
    "warning",
    AnomalyDetector,
    about="a level at which no row can be called an anomaly",
    consequence="predict finds nothing, or refuses",
    mend="a higher fdr= or alpha=, or more rows for calibration",
)
def no_anomaly_possible(detector: AnomalyDetector) -> Iterator[Hit]:
    """Yield a threshold above every score."""
    if detector.threshold_ == float("inf"):
        yield Hit(str(detector.decision_).rstrip("."), 0.0)


@rule(
    "decision",
    "note",
    AnomalyDetector,
    about="how rows are called anomalies",
    consequence="rows that score above the same threshold are called anomalies in use",
    mend="nothing, if that is what is wanted; fdr=, alpha= or contamination= decide otherwise",
)
def decision(detector: AnomalyDetector) -> Iterator[Hit]:
    """Yield the decision in words."""
    told = detector.decision_
    yield Hit(str(told).rstrip("."), told.called / max(told.rows, 1))


@rule(
    "detector-floor",
    "note",
    AnomalyDetector,
    about="a single classical method that tells made-up anomalies better than the detector",
    consequence="for anomalies of these kinds the simpler method would do; they say little about other kinds",
    mend="compare both by labels, if there are some",
)
def detector_floor(detector: AnomalyDetector) -> Iterator[Hit]:
    """Yield the floor of the detector, if it is ahead."""
    floor = detector.floor_
    if floor is not None and floor.auc - floor.model_auc > BEHIND:
        yield Hit(str(floor), floor.auc - floor.model_auc)
