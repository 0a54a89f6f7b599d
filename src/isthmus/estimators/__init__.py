"""Floor 4: the estimator and its file."""

from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.model_file import ModelFileError, load

__all__ = ["AutoEncoder", "ModelFileError", "load"]
