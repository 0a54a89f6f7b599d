"""The plain family: presets that differ only in sizes, starting point and order of the code."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.corruptions import GaussianNoise
from isthmus.parts.ordered_codes import OrderedCode
from isthmus.zoo.preset import composed, preset


@preset("plain")
def linear(latent: int | float = 0.9, **settings: object) -> AutoEncoder:
    r"""Linear autoencoder: x̂ = V(Wx + b) + c, (F,) to (K,) to (F,).

    With the Gaussian likelihood its optimum spans the K leading principal components, and every other critical point
    is a saddle (Baldi and Hornik 1989); training starts there. When: as the yardstick for every other autoencoder, or
    with a likelihood that PCA does not have. When not: if PCA will do, which is faster.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> linear(latent=2, epochs=5, random_state=0).fit(load_iris().data).history_.init
    'pca (exact)'
    """
    return composed(settings, latent=latent, encoder="linear")


@preset("plain")
def undercomplete(latent: int | float = 0.9, hidden: tuple[int, ...] = (128,), **settings: object) -> AutoEncoder:
    r"""Undercomplete autoencoder: a code narrower than the row, which alone prevents copying.

    x (F,) → hidden → z (K,), K < F → reversed hidden → x̂ (F,); min E‖x - x̂‖² or its likelihood (Hinton and
    Salakhutdinov 2006; the paper "AutoEncoders", Dieye, Negho and Djaha 2023). With the default layers `fit` may take
    principal components as the codes of a table (see `AutoEncoder`, `encoder`); others are trained. When:
    dimensionality reduction, features, reconstruction. When not: to draw new rows (`variational`).

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
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
    >>> undercomplete(latent=64)
    AutoEncoder(latent=64)
    """
    return composed(settings, latent=latent, hidden=hidden)


@preset("plain")
def overcomplete(
    latent: int = 1024, noise: float = 0.3, hidden: tuple[int, ...] = (), **settings: object
) -> AutoEncoder:
    r"""Overcomplete autoencoder: a code wider than the row; noise on the input prevents copying.

    x̃ = x + σε; z = σ(Wx̃ + b), (K,), K > F; x̂ = Vz + c. Without noise or a penalty the identity is a solution (the
    paper "AutoEncoders", Dieye, Negho and Djaha 2023; Vincent et al. 2008). When: features for a linear model.
    When not: compression.

    Parameters
    ----------
    latent : int
        K, the units of the code.
    noise : float
        σ, in units of the scaled data, at least 0.
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
    >>> overcomplete(latent=256).corruption
    GaussianNoise(scale=0.3, clip=None)
    """
    parts: dict[str, object] = {"code": Deterministic("sigmoid"), "corruption": GaussianNoise(noise)}
    return composed(settings, latent=latent, hidden=hidden, **parts)


@preset("plain")
def stacked(latent: int | float = 0.9, hidden: tuple[int, ...] = (256, 128), **settings: object) -> AutoEncoder:
    r"""Stacked autoencoder: each layer first learns to reconstruct the output of the one before, then all learn.

    Layer l: min E‖h_{l-1} - ĥ_{l-1}‖², h_l = a(W_l h_{l-1} + b_l), h_0 = x (F,) (Bengio et al. 2007). When: deep
    networks with saturating activations, or to inspect the layers. When not: with modern activations and a start at
    PCA, where it costs more training for little gain.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
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
    >>> stacked(latent=16).init
    'layerwise'
    """
    return composed(settings, latent=latent, hidden=hidden, init="layerwise")


@preset("plain")
def ordered(
    latent: int | float = 0.9, distribution: str = "uniform", hidden: tuple[int, ...] = (128,), **settings: object
) -> AutoEncoder:
    r"""Ordered autoencoder: the first k coordinates of the code are the best k, for every k at once.

    z, (K,), is cut off after j coordinates in training, j ~ uniform or geometric: nested dropout (Rippel, Gelbart and
    Adams 2014). A linear one finds the principal components themselves, in their order. When: to choose the
    size of the code afterwards, or if the importance of each coordinate matters. When not: for one known size K, at
    which `undercomplete` is better.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    distribution : {"uniform", "geometric"}
        Distribution of j over 1 to K.
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
    >>> ordered(latent=8).code.distribution
    'uniform'
    """
    return composed(settings, latent=latent, hidden=hidden, code=OrderedCode(distribution))
