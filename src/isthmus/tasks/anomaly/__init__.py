"""Anomaly detection: methods that score rows, decisions with known error rates, and explanations.

Each detection method registers itself when its file is imported; a new one needs one line here.
"""

from isthmus.tasks.anomaly import denoiser, histogram, likelihood, mahalanobis, neighbours, residual  # noqa: F401
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.anomaly.drift import Drift
from isthmus.tasks.anomaly.explanation import Explanation

__all__ = ["AnomalyDetector", "Drift", "Explanation"]
