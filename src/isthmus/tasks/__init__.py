"""What autoencoders are for: tasks that are solved by one or several of them."""

from isthmus.tasks.anomaly import AnomalyDetector
from isthmus.tasks.checking import Finding, Findings, check
from isthmus.tasks.imputation import Imputer
from isthmus.tasks.tuning import Tuning, tune

__all__ = ["AnomalyDetector", "Finding", "Findings", "Imputer", "Tuning", "check", "tune"]
