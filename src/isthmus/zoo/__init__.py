"""Floor 5: the autoencoders of the literature, each a composition of parts, with its formula.

>>> from isthmus import zoo
>>> zoo.variational(latent=2, beta=4)
AutoEncoder(code='gaussian', latent=2,
            penalty=KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None))

Presets register themselves by `@preset(family)`; type checkers need the one line that each has here.
"""

from isthmus.zoo.catalogue import catalogue as catalogue
from isthmus.zoo.codebooks import finite_scalar_quantised as finite_scalar_quantised
from isthmus.zoo.codebooks import vector_quantised as vector_quantised
from isthmus.zoo.contraction import contractive as contractive
from isthmus.zoo.family import describe as describe
from isthmus.zoo.images import convolutional as convolutional
from isthmus.zoo.images import convolutional_variational as convolutional_variational
from isthmus.zoo.matching import adversarial as adversarial
from isthmus.zoo.matching import info_vae as info_vae
from isthmus.zoo.matching import wasserstein as wasserstein
from isthmus.zoo.noise import denoising as denoising
from isthmus.zoo.noise import masked as masked
from isthmus.zoo.plain import linear as linear
from isthmus.zoo.plain import ordered as ordered
from isthmus.zoo.plain import overcomplete as overcomplete
from isthmus.zoo.plain import stacked as stacked
from isthmus.zoo.plain import undercomplete as undercomplete
from isthmus.zoo.posteriors import beta_tcvae as beta_tcvae
from isthmus.zoo.posteriors import importance_weighted as importance_weighted
from isthmus.zoo.posteriors import variational as variational
from isthmus.zoo.preset import FAMILIES
from isthmus.zoo.sparsity import k_sparse as k_sparse
from isthmus.zoo.sparsity import sparse as sparse
from isthmus.zoo.sparsity import winner_take_all as winner_take_all

__all__ = sorted(["catalogue", "describe", *(preset.__name__ for presets in FAMILIES.values() for preset in presets)])
