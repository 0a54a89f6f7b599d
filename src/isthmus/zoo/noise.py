"""The denoising family: rebuild what was clean from what is corrupted."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.corruptions import GaussianNoise, Masking
from isthmus.zoo.preset import preset


def denoising(latent: int | float = 0.9, noise: float = 0.3, **settings: Any) -> AutoEncoder:
    r"""Denoising autoencoder: min E‖x - x̂(x̃)‖², x̃ = x + σε, ε ~ N(0, I), all (F,).

    Its optimum is x̂ = E[x|x̃] = x̃ + σ²∇log p_σ(x̃) (Vincent et al. 2008; Alain and Bengio 2014). When: noise is to be
    removed, or features that small changes leave alone. When not: the data's own small differences are what matters.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance; a code wider than the row is in order here.
    noise : float
        σ in units of the scaled data: 0.1 to 0.5. Another corruption: ``corruption="masking"``.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> denoising(latent=32, noise=0.5).corruption
    GaussianNoise(scale=0.5, clip=None)
    """
    return preset(settings, latent=latent, corruption=GaussianNoise(noise))


def masked(latent: int | float = 0.9, rate: float = 0.25, **settings: Any) -> AutoEncoder:
    r"""Masked autoencoder: guess the hidden entries from those that are seen; only the hidden ones are scored.

    x̃ = x ⊙ (1 - m), (F,), m ~ Bernoulli(rate); the encoder sees [x̃, m], (2F,), because 0 is a legal value; the score is
    Σᵢ mᵢ·nllᵢ / rate (He et al. 2022). When: gaps are to be filled, or each column judged by the others. When not:
    plain compression; entries that are seen are not asked for, so that they come back less exactly.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    rate : float
        Share of hidden entries: 0.75 for images, 0.15 to 0.5 for tables.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> masked(latent=32).corruption.rate
    0.25
    """
    return preset(settings, latent=latent, corruption=Masking(rate, mark=True, score="hidden"))
