"""Floor 5: the autoencoders of the literature, each a composition of parts, with its formula.

>>> from isthmus import zoo
>>> zoo.variational(latent=2, beta=4)
AutoEncoder(code='gaussian', latent=2,
            penalty=KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None))
"""

from isthmus.zoo.codebooks import finite_scalar_quantised, vector_quantised
from isthmus.zoo.contraction import contractive
from isthmus.zoo.family import describe
from isthmus.zoo.images import convolutional, convolutional_variational
from isthmus.zoo.matching import adversarial, info_vae, wasserstein
from isthmus.zoo.noise import denoising, masked
from isthmus.zoo.plain import linear, ordered, overcomplete, stacked, undercomplete
from isthmus.zoo.posteriors import beta_tcvae, importance_weighted, variational
from isthmus.zoo.sparsity import k_sparse, sparse, winner_take_all

__all__ = [
    "adversarial",
    "beta_tcvae",
    "contractive",
    "convolutional",
    "convolutional_variational",
    "denoising",
    "describe",
    "finite_scalar_quantised",
    "importance_weighted",
    "info_vae",
    "k_sparse",
    "linear",
    "masked",
    "ordered",
    "overcomplete",
    "sparse",
    "stacked",
    "undercomplete",
    "variational",
    "vector_quantised",
    "wasserstein",
    "winner_take_all",
]
