"""Floor 4: the estimator, building and training, the fitted model and its file."""

from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.model_file import ModelFileError, load

__all__ = ["AutoEncoder", "FittedModel", "ModelFileError", "load"]
