"""Tuning: a search for better parameters than the defaults, and the verdict whether they are better."""

from isthmus.tasks.tuning.tune import tune
from isthmus.tasks.tuning.tuning import Tuning

__all__ = ["Tuning", "tune"]
