"""isthmus: autoencoders for Python.

>>> import isthmus
>>> isthmus.AutoEncoder(latent=2)
AutoEncoder(latent=2)
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.core.contract import Part
    from isthmus.engine import Adam, Callback, History, TrainingWarning
    from isthmus.estimators import AutoEncoder, ModelFileError, load
    from isthmus.parts import L1, Bernoulli, Dense, Deterministic, Gaussian, GaussianNoise, Linear, Tied

__version__ = version("isthmus")

HOMES = {
    "isthmus.core.contract": ["Part"],
    "isthmus.engine": ["Adam", "Callback", "History", "TrainingWarning"],
    "isthmus.estimators": ["AutoEncoder", "ModelFileError", "load"],
    "isthmus.parts": ["L1", "Bernoulli", "Dense", "Deterministic", "Gaussian", "GaussianNoise", "Linear", "Tied"],
}
"""Where each public name lives; it is imported when first asked for, because torch alone costs seconds."""

__all__ = [
    "L1",
    "Adam",
    "AutoEncoder",
    "Bernoulli",
    "Callback",
    "Dense",
    "Deterministic",
    "Gaussian",
    "GaussianNoise",
    "History",
    "Linear",
    "ModelFileError",
    "Part",
    "Tied",
    "TrainingWarning",
    "load",
]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'isthmus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
