"""The matching family: the codes of all rows together, rather than each row's, are drawn to a prior."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.adversarial import Adversarial
from isthmus.parts.matching import MMD
from isthmus.parts.priors import KL
from isthmus.zoo.preset import preset


def wasserstein(latent: int | float = 0.9, weight: float = 100.0, **settings: Any) -> AutoEncoder:
    r"""Wasserstein autoencoder (WAE-MMD): nll + λ·MMD(q(z), N(0, I)), z (K,) without noise.

    MMD with inverse multiquadratic kernels, unbiased over the batch (Tolstikhin et al. 2018). When: new rows, and
    sharper reconstructions than a variational one's. When not: likelihoods are wanted, or batches are small.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    weight : float
        λ, in nats.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> wasserstein(latent=8).penalty.weight
    100.0
    """
    return preset(settings, latent=latent, penalty=MMD(weight))


def info_vae(latent: int | float = 0.9, alpha: float = 0.0, weight: float = 100.0, **settings: Any) -> AutoEncoder:
    r"""InfoVAE: nll + (1 - α)·KL(q(z|x) ‖ p(z)) + (α + λ - 1)·MMD(q(z), p(z)), z (K,) drawn.

    α towards 1 lets codes tell more of their rows, while MMD still keeps them in the prior together (Zhao et al. 2019).
    When: a strong decoder that leaves a variational code unused. When not: the evidence bound itself is wanted.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    alpha : float
        α, at most 1.
    weight : float
        λ, in nats; α + λ at least 1.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> [type(part).__name__ for part in info_vae(latent=8, alpha=0.5).penalty]
    ['KL', 'MMD']
    """
    penalty = [KL(1 - alpha), MMD(alpha + weight - 1)]
    return preset(settings, latent=latent, code="gaussian", penalty=penalty)


def adversarial(latent: int | float = 0.9, prior: Any = "gaussian", **settings: Any) -> AutoEncoder:
    r"""Adversarial autoencoder: a discriminator tells codes (K,) from draws of a prior, the encoder makes that hard.

    min over D of -E log D(z_prior) - E log(1 - D(z)), min over the encoder of nll - λ E log D(z), with a gradient
    penalty on D (Makhzani et al. 2015; Mescheder et al. 2018). When: a prior that has no density, only a sampler.
    When not: the prior is Gaussian and calm training matters (`wasserstein`).

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    prior : str, part or callable
        "gaussian", "mixture", or a sampler (count, latent, generator) to codes.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> adversarial(latent=2, prior="mixture").penalty.prior
    'mixture'
    """
    return preset(settings, latent=latent, penalty=Adversarial(prior=prior))
