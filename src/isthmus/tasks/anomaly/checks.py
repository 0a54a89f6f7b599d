"""What a user gives to a detector, checked before anything is trained."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from isthmus.core.checks import is_number
from isthmus.core.choices import refuse_unknown
from isthmus.estimators import AutoEncoder
from isthmus.tasks.anomaly.choice import SETTINGS


def refuse_parameters(detector: Any) -> None:
    """Raise a `ValueError` for parameters that cannot be, or not together."""
    refuse_unknown("setting", detector.setting, SETTINGS)
    given = [name for name in ("fdr", "alpha", "contamination") if getattr(detector, name) is not None]
    if len(given) > 1:
        raise ValueError(
            f"{' and '.join(given)} are given, and each decides by itself which rows are anomalies: take fdr (a share "
            "of false ones among those called anomalies), alpha (a share of the normal rows called anomalies) or "
            "contamination (a share of the training rows), and leave the others None"
        )
    for name, most in (("fdr", 1.0), ("alpha", 1.0), ("contamination", 0.5)):
        value = getattr(detector, name)
        if value is not None and not (is_number(value) and 0 < value <= most and value < 1):
            raise ValueError(
                f"{name} has to be a number in (0, {most:g}{']' if most < 1 else ')'} or None; got {value!r}"
            )
    fraction = detector.calibration_fraction
    if fraction is not None and fraction != "auto" and not (is_number(fraction) and 0 < fraction < 1):
        raise ValueError(f"calibration_fraction has to be 'auto', a share in (0, 1) or None; got {fraction!r}")
    if detector.estimator is not None and not isinstance(detector.estimator, AutoEncoder):
        raise ValueError(
            f"estimator has to be an AutoEncoder, such as a preset of isthmus.zoo, or None; got {detector.estimator!r}"
        )


def warn_of_labels(y: Any) -> None:
    """Warn if y looks like labels: one class, or two of which one may be anomalies."""
    if y is None:
        return
    labels = np.unique(np.asarray(y).astype(str))
    if len(labels) <= 2:
        what = f"holds one label ({labels[0]})" if len(labels) == 1 else f"holds two labels ({', '.join(labels)})"
        warnings.warn(
            f"y is ignored: a detector learns from X alone, and y {what}. Where normal rows are known, fit on them "
            "with setting='clean'",
            UserWarning,
            stacklevel=4,
        )


def refuse_identical(rows: Any) -> None:
    """Raise a `ValueError` if all rows of an array or CSR are the same."""
    sparse = scipy.sparse.issparse(rows)
    first = rows[[0]].toarray()[0] if sparse else np.asarray(rows[0], dtype=np.float64)
    for start in range(0, rows.shape[0], 256):
        block = rows[start : start + 256].toarray() if sparse else rows[start : start + 256]
        if not np.array_equal(np.broadcast_to(first, block.shape), block.astype(np.float64), equal_nan=True):
            return
    raise ValueError(f"all {rows.shape[0]} rows of X are the same: what is normal cannot be told from one row")


def is_fitted(estimator: Any) -> bool:
    """Whether an estimator was given, and is fitted."""
    if estimator is None:
        return False
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def refuse_fitted(detector: Any) -> None:
    """Raise a `ValueError` if a fitted estimator was given for methods that train."""
    if is_fitted(detector.estimator) and detector.method_ != ("likelihood",):
        raise ValueError(
            f"the estimator is fitted, and method={detector.method!r} trains: leave method='auto' to score rows by the "
            "likelihood it has, or give sklearn.base.clone(estimator) to have it trained"
        )
