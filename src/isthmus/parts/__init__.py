"""Floor 1: the parts of an autoencoder, small dataclasses of hyper-parameters that build modules."""

from isthmus.parts.adversarial import Adversarial
from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.bounded import ContinuousBernoulli
from isthmus.parts.categories import Categorical
from isthmus.parts.codes import Deterministic, GaussianCode
from isthmus.parts.composition import compose
from isthmus.parts.contraction import Contractive
from isthmus.parts.convolution import Convolutional
from isthmus.parts.corruptions import GaussianNoise, Masking, SaltAndPepper, Swap
from isthmus.parts.counts import Multinomial, NegativeBinomial, Poisson
from isthmus.parts.discrete_codes import FSQ, VectorQuantizer
from isthmus.parts.heavy_tails import Laplace, StudentT
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.matching import MMD, TotalCorrelation
from isthmus.parts.mixed import Mixed
from isthmus.parts.objectives import ImportanceWeighted
from isthmus.parts.ordered_codes import OrderedCode
from isthmus.parts.penalties import L1, KLSparsity, WeightDecay
from isthmus.parts.priors import KL, MixturePrior
from isthmus.parts.sparse_codes import BatchTopK, LifetimeSparse, TopK

__all__ = [
    "FSQ",
    "KL",
    "L1",
    "MMD",
    "Adversarial",
    "BatchTopK",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Contractive",
    "Convolutional",
    "Dense",
    "Deterministic",
    "Gaussian",
    "GaussianCode",
    "GaussianNoise",
    "ImportanceWeighted",
    "KLSparsity",
    "Laplace",
    "LifetimeSparse",
    "Linear",
    "Masking",
    "Mixed",
    "MixturePrior",
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
    "compose",
]

# TEMPORARY, until each part registers itself where it is defined.
from isthmus.core.registry import register

register("likelihood", column="real")(Gaussian)
register("likelihood", column="real")(StudentT)
register("likelihood", column="real")(Laplace)
register("likelihood", column="boolean")(Bernoulli)
register("likelihood", column="category")(Categorical)
register("likelihood", column="count")(Poisson)
register("likelihood", column="count")(NegativeBinomial)
