"""Floor 1: the parts of an autoencoder, small dataclasses of hyper-parameters that build modules."""

from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.codes import Deterministic, GaussianCode
from isthmus.parts.composition import compose
from isthmus.parts.corruptions import GaussianNoise
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.penalties import L1
from isthmus.parts.priors import KL

__all__ = [
    "KL",
    "L1",
    "Bernoulli",
    "Dense",
    "Deterministic",
    "Gaussian",
    "GaussianCode",
    "GaussianNoise",
    "Linear",
    "Tied",
    "compose",
]
