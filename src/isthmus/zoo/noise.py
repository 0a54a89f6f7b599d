"""The denoising family: reconstruct the clean row from a corrupted one."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.corruptions import GaussianNoise, Masking
from isthmus.zoo.preset import composed, preset


@preset("denoising")
def denoising(latent: int | float = 0.9, noise: float = 0.3, **settings: object) -> AutoEncoder:
    r"""Denoising autoencoder: min E‖x - x̂(x̃)‖², x̃ = x + σε, ε ~ N(0, I), all (F,).

    Its optimum is x̂ = E[x|x̃] = x̃ + σ²∇log p_σ(x̃) (Vincent et al. 2008; Alain and Bengio 2014). When: to remove
    noise, or for features that small changes do not affect. When not: small differences in the data matter.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance in (0, 1); here the code may be wider than the row.
    noise : float
        σ in units of the scaled data: 0.1 to 0.5. Another corruption: ``corruption="masking"``.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> denoising(latent=32, noise=0.5).corruption
    GaussianNoise(scale=0.5, clip=None)
    """
    return composed(settings, latent=latent, corruption=GaussianNoise(noise))


@preset("denoising")
def masked(latent: int | float = 0.9, rate: float = 0.25, **settings: object) -> AutoEncoder:
    r"""Masked autoencoder: predict the hidden entries from the visible ones; only hidden entries are scored.

    x̃ = x ⊙ (1 - m), (F,), m ~ Bernoulli(rate); the encoder sees [x̃, m], (2F,), because 0 is a legal value; the loss is
    Σᵢ mᵢ·nllᵢ / rate (He et al. 2022). When: to fill gaps, or to predict each column from the others. When not: plain
    compression; visible entries do not count in the loss, so they are reconstructed less exactly.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    rate : float
        Share of hidden entries, in (0, 1): 0.75 for images, 0.15 to 0.5 for tables.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> masked(latent=32).corruption.rate
    0.25
    """
    return composed(settings, latent=latent, corruption=Masking(rate, mark=True, score="hidden"))
