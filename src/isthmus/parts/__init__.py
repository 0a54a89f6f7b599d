"""Floor 1: the parts of an autoencoder, small dataclasses of hyper-parameters that build modules."""

from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.codes import Deterministic
from isthmus.parts.composition import compose
from isthmus.parts.corruptions import GaussianNoise
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.penalties import L1

__all__ = ["L1", "Bernoulli", "Dense", "Deterministic", "Gaussian", "GaussianNoise", "Linear", "Tied", "compose"]
