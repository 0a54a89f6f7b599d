"""Floor 3: training and inference loops."""

from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import Compute
from isthmus.engine.history import History
from isthmus.engine.optimisers import Adam
from isthmus.engine.trainer import Plan, Trainer, TrainingWarning

__all__ = ["Adam", "Callback", "Compute", "History", "Plan", "Trainer", "TrainingWarning"]
