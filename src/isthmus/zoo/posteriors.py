"""The variational family: codes are distributions near a prior, from which new rows can be drawn."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.matching import TotalCorrelation
from isthmus.parts.objectives import ImportanceWeighted
from isthmus.parts.priors import KL
from isthmus.zoo.preset import composed, preset


@preset("variational")
def variational(latent: int | float = 0.9, beta: float = 1.0, warm_up: float = 0.0, **settings: object) -> AutoEncoder:
    r"""Variational autoencoder, and β-VAE: E_q[-log p(x|z)] + β·KL(q(z|x) ‖ N(0, I)).

    z = μ(x) + σ(x)ε, (K,); with β = 1 the objective is minus the evidence lower bound (Kingma and Welling 2014); β > 1
    favours independent coordinates (Higgins et al. 2017). With Gaussian rows σ² is optimal (σ-VAE, Rybkin et al.
    2021), so that β needs no tuning for the bound; better samples of images come with ``likelihood="bernoulli"``, which
    spends fewer nats on the code. When: new rows, likelihoods, few independent factors. When not: the sharpest
    reconstructions.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    beta : float
        β, at least 0.
    warm_up : float
        Share of the training, in [0, 1), over which β grows from 0.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> variational(latent=2, beta=4).penalty
    KL(beta=4, warm_up=0.0, free_bits=0.0, capacity=None)
    """
    return composed(settings, latent=latent, code="gaussian", penalty=KL(beta, warm_up))


@preset("variational")
def beta_tcvae(latent: int | float = 0.9, beta: float = 6.0, **settings: object) -> AutoEncoder:
    r"""β-TCVAE: nll + KL + (β - 1)·TC(z), TC = KL(q(z) ‖ Πⱼ q(zⱼ)), z (K,).

    β weighs only the part of the KL that measures the dependence between coordinates (Chen et al. 2018). When:
    independent factors, at less cost to the reconstruction than β-VAE. When not: batches much smaller than 100 rows.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    beta : float
        β, at least 0.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> [type(part).__name__ for part in beta_tcvae(latent=8).penalty]
    ['KL', 'TotalCorrelation']
    """
    penalty = [KL(), TotalCorrelation(beta)]
    return composed(settings, latent=latent, code="gaussian", penalty=penalty)


@preset("variational")
def importance_weighted(latent: int | float = 0.9, samples: int = 5, **settings: object) -> AutoEncoder:
    r"""Importance-weighted autoencoder: -log (1/k) Σᵢ p(x|zᵢ)p(zᵢ)/q(zᵢ|x), zᵢ ~ q(z|x), k draws of (K,).

    A bound on -log p(x) that is tighter the larger k (Burda, Grosse and Salakhutdinov 2016), with doubly
    reparameterised gradients (Tucker et al. 2019). When: the best likelihood. When not: if k times the cost of the
    decoder is too much.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    samples : int
        k, at least 1.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> importance_weighted(latent=8, samples=10).objective.samples
    10
    """
    return composed(settings, latent=latent, code="gaussian", objective=ImportanceWeighted(samples))
