"""The sparse family: many units, of which few are active in each row."""

from collections.abc import Callable
from typing import cast

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.penalties import KLSparsity
from isthmus.parts.sparse_codes import LifetimeSparse, TopK
from isthmus.zoo.preset import composed, preset


@preset("sparse")
def sparse(
    latent: int = 256,
    weight: float = 10.0,
    rate: float = 0.05,
    top_k: int | None = None,
    hidden: tuple[int, ...] = (),
    **settings: object,
) -> AutoEncoder:
    r"""Sparse autoencoder: units that are active for a small share of the rows.

    nll + λ Σⱼ KL(ρ ‖ ρ̂ⱼ), z = σ(Wx + b), (K,), ρ̂ⱼ the mean activation of unit j over a batch (Ng 2011). When:
    interpretable features, or an overcomplete code. When not: an exact number of active units is wanted (`top_k`).

    Parameters
    ----------
    latent : int
        K, the units of the code.
    weight : float
        λ, in nats, at least 0; 10 suits the default likelihood, about 3 a squared error
        (``likelihood=Gaussian(variance=1.0)``).
    rate : float
        ρ, in (0, 1).
    top_k : int, optional
        Keep exactly that many units per row instead of the penalty: `k_sparse`.
    hidden : tuple of int
        Units of each hidden layer, from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> sparse(latent=100).penalty
    KLSparsity(weight=10.0, rate=0.05)
    """
    if top_k is not None:
        return cast(Callable[..., AutoEncoder], k_sparse)(latent, top_k, hidden=hidden, **settings)
    # PCA would put the coordinates near the middle of the sigmoid, which is the opposite of sparse.
    parts: dict[str, object] = {
        "code": Deterministic("sigmoid"),
        "penalty": KLSparsity(weight, rate),
        "init": "orthogonal",
    }
    return composed(settings, latent=latent, hidden=hidden, **parts)


@preset("sparse")
def k_sparse(
    latent: int = 1000, top_k: int = 25, alpha: float = 1.0, hidden: tuple[int, ...] = (), **settings: object
) -> AutoEncoder:
    r"""k-sparse autoencoder: exactly k of the K units are not 0 in each row.

    z = keep_k(W(x - m) + b), (K,); x̂ = Wᵀz + m; in use α·k are kept (Makhzani and Frey 2013). `TopK` lifts units that
    are kept too seldom, so that none dies. When: a known number of sparse features, dictionary learning. When not: a
    small K, of which all units are needed.

    Parameters
    ----------
    latent : int
        K, the units of the code.
    top_k : int
        k, at least 1 and at most K.
    alpha : float
        α, above 0.
    hidden : tuple of int
        Units of each hidden layer, from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> k_sparse(latent=100, top_k=10).code.k
    10
    """
    # The number falls from all units to k over the first half, from a start without error.
    parts: dict[str, object] = {"code": TopK(top_k, alpha, anneal=0.5), "decoder": "tied"}
    return composed(settings, latent=latent, hidden=hidden, **parts)


@preset("sparse")
def winner_take_all(
    latent: int = 1000, rate: float | None = None, hidden: tuple[int, ...] = (), **settings: object
) -> AutoEncoder:
    r"""Winner-take-all autoencoder: every unit is active for the same share of the rows.

    In training unit j keeps its ⌈ρB⌉ largest values over the batch, (B, K), and is 0 for the other rows (Makhzani and
    Frey 2015): no unit can die. When: an overcomplete dictionary whose units are all used. When not: tiny batches.

    Parameters
    ----------
    latent : int
        K, the units of the code.
    rate : float, optional
        ρ, in (0, 1); None means 0.05, or 4/K with fewer than 80 units, but at most one half.
    hidden : tuple of int
        Units of each hidden layer, from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> winner_take_all(latent=100, rate=0.1).code.rate
    0.1
    """
    return composed(settings, latent=latent, hidden=hidden, code=LifetimeSparse(rate))
