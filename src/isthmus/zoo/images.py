"""The convolutional family: for images, whose neighbouring pixels belong together."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.convolution import Convolutional
from isthmus.parts.priors import KL
from isthmus.zoo.preset import preset


def convolutional(
    shape: tuple[int, ...] | str | None = None,
    latent: int | float = 0.9,
    channels: tuple[int, ...] = (32, 64),
    **settings: Any,
) -> AutoEncoder:
    r"""Convolutional autoencoder: strided convolutions down to the code, and up again (Masci et al. 2011).

    x (H·W·C,) → (H/2, W/2, c₁) → … → z (K,) → … → x̂ (H·W·C,). When: images or signals. When not: columns in no order.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W) or (H, W, C) of an image; "signal" for a row of numbers in their order. Has to be given.
    latent : int or float
        K, or a share of the variance.
    channels : tuple of int
        Channels after each halving of the size.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> convolutional((28, 28), latent=16).encoder.shape
    (28, 28)
    """
    return preset(settings, latent=latent, encoder=Convolutional(shape, channels))


def convolutional_variational(
    shape: tuple[int, ...] | str | None = None,
    latent: int | float = 0.9,
    channels: tuple[int, ...] = (32, 64),
    beta: float = 1.0,
    **settings: Any,
) -> AutoEncoder:
    r"""Convolutional variational autoencoder: E_q[-log p(x|z)] + β·KL(q(z|x) ‖ N(0, I)), z (K,), for images.

    As `variational` (Kingma and Welling 2014), with the network of `convolutional`. When: new images. When not:
    columns in no order.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W) or (H, W, C) of an image; "signal" for a row of numbers in their order. Has to be given.
    latent : int or float
        K, or a share of the variance.
    channels : tuple of int
        Channels after each halving of the size.
    beta : float
        β.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> convolutional_variational((28, 28), latent=16).penalty.beta
    1.0
    """
    parts: dict[str, Any] = {"encoder": Convolutional(shape, channels), "code": "gaussian", "penalty": KL(beta)}
    return preset(settings, latent=latent, **parts)
