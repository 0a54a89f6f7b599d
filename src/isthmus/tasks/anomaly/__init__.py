"""Anomaly detection: methods that score rows, decisions with known error rates, and explanations.

Importing the package imports every module in its folder, so that a detection method in a new file registers itself.
"""

from importlib import import_module
from pkgutil import iter_modules

from isthmus.tasks.anomaly.counterfactuals import Counterfactual
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.anomaly.drift import Drift
from isthmus.tasks.anomaly.explanation import Explanation
from isthmus.tasks.anomaly.methods import detection_method

__all__ = ["AnomalyDetector", "Counterfactual", "Drift", "Explanation", "detection_method"]

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
