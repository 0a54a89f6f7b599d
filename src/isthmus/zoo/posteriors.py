"""The variational family: codes are distributions, held near a prior from which new rows are drawn."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.matching import TotalCorrelation
from isthmus.parts.objectives import ImportanceWeighted
from isthmus.parts.priors import KL
from isthmus.zoo.preset import preset


def variational(latent: int | float = 0.9, beta: float = 1.0, warm_up: float = 0.0, **settings: Any) -> AutoEncoder:
    r"""Variational autoencoder, and β-VAE: E_q[-log p(x|z)] + β·KL(q(z|x) ‖ N(0, I)).

    z = μ(x) + σ(x)ε, (K,); with β = 1 the objective is minus the evidence lower bound (Kingma and Welling 2014); β > 1
    asks for independent coordinates (Higgins et al. 2017). With Gaussian rows σ² is optimal (σ-VAE, Rybkin et al.
    2021), so that β needs no tuning for the bound; better samples of images come with ``likelihood="bernoulli"``, which
    spends fewer nats on the code. When: new rows, likelihoods, few independent factors. When not: the sharpest
    reconstructions.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    beta : float
        β.
    warm_up : float
        Share of the training over which β grows from 0.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> variational(latent=2, beta=4).penalty
    KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None)
    """
    return preset(settings, latent=latent, code="gaussian", penalty=KL(beta, warm_up))


def beta_tcvae(latent: int | float = 0.9, beta: float = 6.0, **settings: Any) -> AutoEncoder:
    r"""β-TCVAE: nll + KL + (β - 1)·TC(z), TC = KL(q(z) ‖ Πⱼ q(zⱼ)), z (K,).

    Only the part of the KL that measures how far coordinates depend on each other is weighed (Chen et al. 2018). When:
    independent factors, at less cost to the reconstruction than β-VAE. When not: batches much smaller than 100 rows.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    beta : float
        β.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> [type(part).__name__ for part in beta_tcvae(latent=8).penalty]
    ['KL', 'TotalCorrelation']
    """
    penalty = [KL(), TotalCorrelation(beta)]
    return preset(settings, latent=latent, code="gaussian", penalty=penalty)


def importance_weighted(latent: int | float = 0.9, samples: int = 5, **settings: Any) -> AutoEncoder:
    r"""Importance-weighted autoencoder: -log (1/k) Σᵢ p(x|zᵢ)p(zᵢ)/q(zᵢ|x), zᵢ ~ q(z|x), k draws of (K,).

    A bound that is tighter the larger k (Burda, Grosse and Salakhutdinov 2016), with doubly reparameterised gradients
    (Tucker et al. 2019). When: the best likelihood. When not: k times the decoder's cost is too much.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    samples : int
        k.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> importance_weighted(latent=8, samples=10).objective.samples
    10
    """
    return preset(settings, latent=latent, code="gaussian", objective=ImportanceWeighted(samples))
