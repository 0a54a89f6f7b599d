"""The plain family: nothing but the sizes, the starting point and the order of the code."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.corruptions import GaussianNoise
from isthmus.parts.ordered_codes import OrderedCode
from isthmus.zoo.preset import preset


def linear(latent: int | float = 0.9, **settings: Any) -> AutoEncoder:
    r"""Linear autoencoder: x̂ = V(Wx + b) + c, (F,) to (K,) to (F,).

    With the Gaussian likelihood its optimum spans the K leading principal components, and every other critical point
    is a saddle (Baldi and Hornik 1989); it starts there. When: as the yardstick of every other one, or with another
    likelihood, which PCA has not. When not: where PCA does, which is faster.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> linear(latent=2, epochs=5, random_state=0).fit(load_iris().data).history_.init
    'pca (exact)'
    """
    return preset(settings, latent=latent, encoder="linear")


def undercomplete(latent: int | float = 0.9, hidden: tuple[int, ...] = (128,), **settings: Any) -> AutoEncoder:
    r"""Undercomplete autoencoder: a code narrower than the row, the only thing that keeps it from copying.

    x (F,) → hidden → z (K,), K < F → reversed hidden → x̂ (F,); min E‖x - x̂‖² or its likelihood (Hinton and
    Salakhutdinov 2006; the paper "AutoEncoders", Dieye, Negho and Djaha 2023). When: dimensionality reduction,
    features, reconstruction. When not: if new rows are to be drawn (`variational`).

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> undercomplete(latent=64)
    AutoEncoder(latent=64)
    """
    return preset(settings, latent=latent, hidden=hidden)


def overcomplete(latent: int = 1024, noise: float = 0.3, hidden: tuple[int, ...] = (), **settings: Any) -> AutoEncoder:
    r"""Overcomplete autoencoder: a code wider than the row, kept from copying by noise on the input.

    x̃ = x + σε; z = σ(Wx̃ + b), (K,), K > F; x̂ = Vz + c. Without noise or a penalty the identity is a solution (the
    paper "AutoEncoders", Dieye, Negho and Djaha 2023; Vincent et al. 2008). When: features for a linear model.
    When not: compression.

    Parameters
    ----------
    latent : int
        K.
    noise : float
        σ in units of the scaled data.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> overcomplete(latent=256).corruption
    GaussianNoise(scale=0.3, clip=None)
    """
    parts: dict[str, Any] = {"code": Deterministic("sigmoid"), "corruption": GaussianNoise(noise)}
    return preset(settings, latent=latent, hidden=hidden, **parts)


def stacked(latent: int | float = 0.9, hidden: tuple[int, ...] = (256, 128), **settings: Any) -> AutoEncoder:
    r"""Stacked autoencoder: each layer first learns to rebuild the output of the one before, then all are fine-tuned.

    Layer l: min E‖h_{l-1} - ĥ_{l-1}‖², h_l = a(W_l h_{l-1} + b_l), h_0 = x (F,) (Bengio et al. 2007). When: deep
    networks of saturating activations, or to see what the layers give. When not: with modern activations and a start at
    PCA it costs more training for little.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> stacked(latent=16).init
    'layerwise'
    """
    return preset(settings, latent=latent, hidden=hidden, init="layerwise")


def ordered(
    latent: int | float = 0.9, distribution: str = "uniform", hidden: tuple[int, ...] = (128,), **settings: Any
) -> AutoEncoder:
    r"""Ordered autoencoder: the first k coordinates of the code are the best k, for every k at once.

    z, (K,), is cut off after j coordinates in training, j ~ uniform or geometric: nested dropout (Rippel, Gelbart and
    Adams 2014). A linear one finds the principal components themselves, in their order. When: the size of the code is
    to be chosen afterwards, or importance per coordinate matters. When not: at one known size K `undercomplete` is
    better.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance.
    distribution : {"uniform", "geometric"}
        Of j.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> ordered(latent=8).code.distribution
    'uniform'
    """
    return preset(settings, latent=latent, hidden=hidden, code=OrderedCode(distribution))
