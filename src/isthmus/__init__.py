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
    from isthmus.engine import Adam, Callback, Compute, History, TrainingWarning
    from isthmus.estimators import AutoEncoder, ModelFileError, load
    from isthmus.parts import (
        FSQ,
        KL,
        L1,
        MMD,
        Adversarial,
        BatchTopK,
        Bernoulli,
        Categorical,
        ContinuousBernoulli,
        Contractive,
        Convolutional,
        Dense,
        Deterministic,
        Gaussian,
        GaussianCode,
        GaussianNoise,
        ImportanceWeighted,
        KLSparsity,
        Laplace,
        LifetimeSparse,
        Linear,
        Masking,
        Mixed,
        MixturePrior,
        Multinomial,
        NegativeBinomial,
        OrderedCode,
        Poisson,
        SaltAndPepper,
        StudentT,
        Swap,
        Tied,
        TopK,
        TotalCorrelation,
        VectorQuantizer,
        WeightDecay,
    )
    from isthmus.tasks import AnomalyDetector, Imputer

__version__ = version("isthmus")

HOMES = {
    "isthmus.core.contract": ["Part"],
    "isthmus.engine": ["Adam", "Callback", "Compute", "History", "TrainingWarning"],
    "isthmus.estimators": ["AutoEncoder", "ModelFileError", "load"],
    "isthmus.parts": [
        "Adversarial",
        "BatchTopK",
        "Bernoulli",
        "Categorical",
        "ContinuousBernoulli",
        "Contractive",
        "Convolutional",
        "Dense",
        "Deterministic",
        "FSQ",
        "Gaussian",
        "GaussianCode",
        "GaussianNoise",
        "ImportanceWeighted",
        "KL",
        "KLSparsity",
        "L1",
        "Laplace",
        "LifetimeSparse",
        "Linear",
        "MMD",
        "Masking",
        "MixturePrior",
        "Mixed",
        "Multinomial",
        "NegativeBinomial",
        "OrderedCode",
        "Poisson",
        "SaltAndPepper",
        "StudentT",
        "Swap",
        "Tied",
        "TopK",
        "TotalCorrelation",
        "VectorQuantizer",
        "WeightDecay",
    ],
    "isthmus.tasks": ["AnomalyDetector", "Imputer"],
}
"""Where each public name lives; it is imported when first asked for, because torch alone costs seconds."""

__all__ = [
    "FSQ",
    "KL",
    "L1",
    "MMD",
    "Adam",
    "Adversarial",
    "AnomalyDetector",
    "AutoEncoder",
    "BatchTopK",
    "Bernoulli",
    "Callback",
    "Categorical",
    "Compute",
    "ContinuousBernoulli",
    "Contractive",
    "Convolutional",
    "Dense",
    "Deterministic",
    "Gaussian",
    "GaussianCode",
    "GaussianNoise",
    "History",
    "ImportanceWeighted",
    "Imputer",
    "KLSparsity",
    "Laplace",
    "LifetimeSparse",
    "Linear",
    "Masking",
    "Mixed",
    "MixturePrior",
    "ModelFileError",
    "Multinomial",
    "NegativeBinomial",
    "OrderedCode",
    "Part",
    "Poisson",
    "SaltAndPepper",
    "StudentT",
    "Swap",
    "Tied",
    "TopK",
    "TotalCorrelation",
    "TrainingWarning",
    "VectorQuantizer",
    "WeightDecay",
    "load",
]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name == "zoo":
        return import_module("isthmus.zoo")
    raise AttributeError(f"module 'isthmus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
