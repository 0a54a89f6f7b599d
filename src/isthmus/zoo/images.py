"""The convolutional family: for images and signals, whose neighbouring numbers belong together."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.convolution import Convolutional
from isthmus.parts.priors import KL
from isthmus.zoo.preset import composed, preset


@preset("convolutional")
def convolutional(
    shape: tuple[int, ...] | str | None = None,
    latent: int | float = 0.9,
    channels: tuple[int, ...] = (32, 64),
    **settings: object,
) -> AutoEncoder:
    r"""Convolutional autoencoder: strided convolutions down to the code, and up again (Masci et al. 2011).

    x (H·W·C,) → (H/2, W/2, c₁) → … → z (K,) → … → x̂ (H·W·C,). When: images or signals. When not: columns
    without an order.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W) or (H, W, C) of an image; "signal" for a row of numbers in order. None: that of the images
        which `fit` is given, (n, H, W) or (n, H, W, C).
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    channels : tuple of int
        Channels after each layer, which halves height and width.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> convolutional((28, 28), latent=16).encoder.shape
    (28, 28)
    """
    return composed(settings, latent=latent, encoder=Convolutional(shape, channels))


@preset("convolutional")
def convolutional_variational(
    shape: tuple[int, ...] | str | None = None,
    latent: int | float = 0.9,
    channels: tuple[int, ...] = (32, 64),
    beta: float = 1.0,
    **settings: object,
) -> AutoEncoder:
    r"""Convolutional variational autoencoder: E_q[-log p(x|z)] + β·KL(q(z|x) ‖ N(0, I)), z (K,), for images.

    As `variational` (Kingma and Welling 2014), with the network of `convolutional`. When: new images. When not:
    columns without an order.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W) or (H, W, C) of an image; "signal" for a row of numbers in order. None: that of the images
        which `fit` is given, (n, H, W) or (n, H, W, C).
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    channels : tuple of int
        Channels after each layer, which halves height and width.
    beta : float
        β, the weight of the KL divergence, at least 0.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> convolutional_variational((28, 28), latent=16).penalty.beta
    1.0
    """
    parts: dict[str, object] = {"encoder": Convolutional(shape, channels), "code": "gaussian", "penalty": KL(beta)}
    return composed(settings, latent=latent, **parts)
