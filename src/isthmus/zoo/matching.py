"""The matching family: the codes of all rows together, rather than of each row, are matched to a prior."""

from isthmus.core.contract import Part, Prior
from isthmus.estimators import AutoEncoder
from isthmus.parts.adversarial import Adversarial
from isthmus.parts.matching import MMD
from isthmus.parts.priors import KL, Sampler
from isthmus.zoo.preset import composed, preset


@preset("matching")
def wasserstein(latent: int | float = 0.9, weight: float = 100.0, **settings: object) -> AutoEncoder:
    r"""Wasserstein autoencoder (WAE-MMD): nll + λ·MMD(q(z), N(0, I)), z (K,) without noise.

    MMD with inverse multiquadratic kernels, unbiased over the batch (Tolstikhin et al. 2018). When: new rows, and
    sharper reconstructions than those of a variational autoencoder. When not: likelihoods are wanted, or batches are
    small.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    weight : float
        λ, in nats, at least 0.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> wasserstein(latent=8).penalty.weight
    100.0
    """
    return composed(settings, latent=latent, penalty=MMD(weight))


@preset("matching")
def info_vae(latent: int | float = 0.9, alpha: float = 0.0, weight: float = 100.0, **settings: object) -> AutoEncoder:
    r"""InfoVAE: nll + (1 - α)·KL(q(z|x) ‖ p(z)) + (α + λ - 1)·MMD(q(z), p(z)), z (K,) drawn.

    With α near 1 codes carry more information about their rows, while MMD still matches all of them to the prior (Zhao
    et al. 2019). When: a strong decoder that ignores a variational code. When not: the evidence bound itself is wanted.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    alpha : float
        α, at most 1.
    weight : float
        λ, in nats; α + λ at least 1.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> [type(part).__name__ for part in info_vae(latent=8, alpha=0.5).penalty]
    ['KL', 'MMD']
    """
    penalty = [KL(1 - alpha), MMD(alpha + weight - 1)]
    return composed(settings, latent=latent, code="gaussian", penalty=penalty)


@preset("matching")
def adversarial(
    latent: int | float = 0.9, prior: str | Part | Prior | Sampler = "gaussian", **settings: object
) -> AutoEncoder:
    r"""Adversarial autoencoder: a discriminator separates codes (K,) from draws of a prior, and the encoder fools it.

    min over D of -E log D(z_prior) - E log(1 - D(z)), min over the encoder of nll - λ E log D(z), with a gradient
    penalty on D (Makhzani et al. 2015; Mescheder et al. 2018). When: a prior that has no density, only a sampler.
    When not: the prior is Gaussian and stable training matters (`wasserstein`).

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    prior : str, part or callable
        "gaussian", "mixture", a part such as `MixturePrior`, or a function (count, latent, generator) that returns
        codes (count, latent).
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> adversarial(latent=2, prior="mixture").penalty.prior
    'mixture'
    """
    return composed(settings, latent=latent, penalty=Adversarial(prior=prior))
