"""Detection of anomalies: methods that score rows, decisions whose errors are known, and reasons."""

from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.anomaly.drift import Drift
from isthmus.tasks.anomaly.explanation import Explanation

__all__ = ["AnomalyDetector", "Drift", "Explanation"]
