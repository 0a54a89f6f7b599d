"""Floor 3: training and inference loops."""

from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.compute import Compute
from isthmus.engine.history import History
from isthmus.engine.optimisers import Adam
from isthmus.engine.plan import Plan
from isthmus.engine.trainer import Trainer
from isthmus.engine.training_warning import TrainingWarning

__all__ = ["Adam", "Callback", "Compute", "History", "Plan", "Trainer", "TrainingRun", "TrainingWarning"]
