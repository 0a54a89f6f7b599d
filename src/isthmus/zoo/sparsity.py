"""The sparse family: many units, few of which are active for a row."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.penalties import KLSparsity
from isthmus.parts.sparse_codes import LifetimeSparse, TopK
from isthmus.zoo.preset import preset


def sparse(
    latent: int = 256,
    weight: float = 10.0,
    rate: float = 0.05,
    top_k: int | None = None,
    hidden: tuple[int, ...] = (),
    **settings: Any,
) -> AutoEncoder:
    r"""Sparse autoencoder: units that are active for a small share of the rows.

    nll + λ Σⱼ KL(ρ ‖ ρ̂ⱼ), z = σ(Wx + b), (K,), ρ̂ⱼ the mean activation of unit j over a batch (Ng 2011). When: features
    that can be named, or an overcomplete code. When not: an exact number of active units is wanted (`top_k`).

    Parameters
    ----------
    latent : int
        K.
    weight : float
        λ, in nats beside the log-likelihood; about 3 beside a squared error (``likelihood=Gaussian(variance=1.0)``).
    rate : float
        ρ.
    top_k : int, optional
        Keep that many units a row instead of the penalty: `k_sparse`.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> sparse(latent=100).penalty
    KLSparsity(weight=10.0, rate=0.05)
    """
    if top_k is not None:
        return k_sparse(latent, top_k, hidden=hidden, **settings)
    # Not from PCA, whose coordinates lie around the middle of a sigmoid: the opposite of sparse.
    parts: dict[str, Any] = {
        "code": Deterministic("sigmoid"),
        "penalty": KLSparsity(weight, rate),
        "init": "orthogonal",
    }
    return preset(settings, latent=latent, hidden=hidden, **parts)


def k_sparse(
    latent: int = 1000, top_k: int = 25, alpha: float = 1.0, hidden: tuple[int, ...] = (), **settings: Any
) -> AutoEncoder:
    r"""k-sparse autoencoder: exactly k of the K units of a row are not 0.

    z = keep_k(W(x - c) + b), (K,); x̂ = Wᵀz + c; in use α·k are kept (Makhzani and Frey 2013). When: sparse features of
    a known size, dictionary learning. When not: a small K, of which all are needed.

    Parameters
    ----------
    latent : int
        K.
    top_k : int
        k ≤ K.
    alpha : float
        α.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> k_sparse(latent=100, top_k=10).code.k
    10
    """
    # From all units to k over the first half, without which units that are never among the first k never learn.
    parts: dict[str, Any] = {"code": TopK(top_k, alpha, anneal=0.5), "decoder": "tied"}
    return preset(settings, latent=latent, hidden=hidden, **parts)


def winner_take_all(
    latent: int = 1000, rate: float = 0.05, hidden: tuple[int, ...] = (), **settings: Any
) -> AutoEncoder:
    r"""Winner-take-all autoencoder: every unit is active for the same share of the rows.

    In training unit j keeps its ⌈ρB⌉ largest values over the batch, (B, K), and is 0 for the other rows (Makhzani and
    Frey 2015): no unit can die. When: an overcomplete dictionary of units that are all used. When not: tiny batches.

    Parameters
    ----------
    latent : int
        K.
    rate : float
        ρ.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> winner_take_all(latent=100).code.rate
    0.05
    """
    return preset(settings, latent=latent, hidden=hidden, code=LifetimeSparse(rate))
