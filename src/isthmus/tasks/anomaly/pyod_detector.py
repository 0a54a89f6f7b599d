"""`PyODDetector`: an `AnomalyDetector` as PyOD's `BaseDetector`, with its sign, its attributes and its 0 and 1.

The class is made when it is first asked for, since only then PyOD is needed.
"""

from functools import cache
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from pyod.models.base import BaseDetector

CONTAMINATION = 0.1
"""PyOD's default share of anomalies."""
MOST = 0.5
"""PyOD's greatest share of anomalies."""


class Detector(Protocol):
    """What PyOD's class asks of an `AnomalyDetector`."""

    decision_scores_: np.ndarray
    threshold_: float
    labels_: np.ndarray

    def fit(self, X: object) -> Self:
        """Learn what is normal."""
        ...

    def score_samples(self, X: object) -> np.ndarray:
        """Return a score per row, higher is more normal."""
        ...


@cache
def pyod_class() -> type:
    """Return the class `PyODDetector`.

    Raises
    ------
    MissingExtraError
        If PyOD is not installed.
    """
    try:
        from pyod.models.base import BaseDetector
    except ImportError:
        raise MissingExtraError("to_pyod", "pyod", extra="pyod") from None

    class PyODDetector(BaseDetector):
        """An `AnomalyDetector` as PyOD has detectors: a higher score is odder, and anomalies are 1.

        Parameters
        ----------
        detector : AnomalyDetector
            `fit` trains a copy of it.
        contamination : float in (0, 0.5], default=0.1
            Share of the training rows above `threshold_`, once `fit` is called.

        Attributes
        ----------
        detector_ : AnomalyDetector
            The fitted detector.
        decision_scores_, threshold_, labels_
            As in PyOD.
        """

        def __init__(self, detector: Detector, contamination: float = CONTAMINATION) -> None:
            super().__init__(contamination=contamination)
            self.detector = detector

        def fit(self, X: object, y: object = None) -> Self:
            """Train a copy of the detector; the threshold follows `contamination`, as for PyOD's detectors."""
            self._set_n_classes(None)
            self._take(clone(self.detector).fit(X))
            return self

        def decision_function(self, X: object) -> np.ndarray:
            """Return the score of each row, (n,): higher is odder."""
            check_is_fitted(self, ["decision_scores_"])
            return -self.detector_.score_samples(X)

        def _take(self, fitted: Detector) -> None:
            """Take the scores of a fitted detector."""
            self.detector_ = fitted
            self.decision_scores_ = fitted.decision_scores_
            self._process_decision_scores()

    # Pickle finds the class by its name in this module.
    PyODDetector.__module__, PyODDetector.__qualname__ = __name__, "PyODDetector"
    return PyODDetector


def __getattr__(name: str) -> type:
    """Return the class when it is asked for by its name."""
    if name == "PyODDetector":
        return pyod_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def as_pyod(detector: Detector, fitted: bool) -> "BaseDetector":
    """Return a detector as PyOD's; a fitted one keeps its own threshold and labels.

    Parameters
    ----------
    detector
        The detector.
    fitted
        Whether it is.
    """
    kind = pyod_class()
    if not fitted:
        return kind(detector)
    rows, found = len(detector.labels_), int(detector.labels_.sum())
    pyod = kind(detector, float(np.clip(found / rows, 1 / rows, MOST)))
    pyod._set_n_classes(None)
    pyod._take(detector)
    pyod.threshold_, pyod.labels_ = detector.threshold_, detector.labels_
    return pyod
