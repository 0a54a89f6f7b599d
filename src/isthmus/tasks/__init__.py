"""What autoencoders are for: tasks that are solved by one or several of them."""

from isthmus.tasks.anomaly import AnomalyDetector
#X

__all__ = ["AnomalyDetector", ]
