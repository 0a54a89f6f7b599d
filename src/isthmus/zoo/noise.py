"""The denoising family: reconstruct the clean row from a corrupted one."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.backbones import Dense
from isthmus.parts.blocks import Blocks
from isthmus.parts.by_shape import ByShape
from isthmus.parts.convolution import Convolutional
from isthmus.parts.corruptions import GaussianNoise, Masking
from isthmus.zoo.preset import composed, preset


@preset("denoising")
def denoising(
    latent: int | float = 256, noise: float = 0.3, hidden: tuple[int, ...] = (512,), **settings: object
) -> AutoEncoder:
    r"""Denoising autoencoder: min E‖x - x̂(x̃)‖², x̃ = x + σε, ε ~ N(0, I), all (F,).

    Its optimum is x̂ = E[x|x̃] = x̃ + σ²∇log p_σ(x̃) (Vincent et al. 2008; Alain and Bengio 2014). Training starts at the
    best linear estimate, the Wiener filter, or at that of rank K. When: to remove noise, or for features that small
    changes do not affect; of images more is gained with ``encoder="convolutional"``. When not: small differences in the
    data matter, or a short code is wanted.

    Parameters
    ----------
    latent : int or float
        K, or a share of the variance in (0, 1); here the code may be wider than the row.
    noise : float
        σ in units of the scaled data: 0.1 to 0.5. Another corruption: ``corruption="masking"``.
    hidden : tuple of int
        Units of each hidden layer, from the input to the code; with 2K or more the start is exact.
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
    return composed(settings, latent=latent, hidden=hidden, corruption=GaussianNoise(noise))


@preset("denoising")
def masked(
    latent: int | float = 256,
    rate: float = 0.25,
    hidden: tuple[int, ...] = (512,),
    channels: tuple[int, ...] = (32, 64),
    shape: tuple[int, ...] | None = None,
    **settings: object,
) -> AutoEncoder:
    r"""Masked autoencoder: predict the hidden entries from the visible ones; only hidden entries are scored.

    x̃ = x ⊙ (1 - m), (F,); the encoder sees [x̃, m], because 0 is a legal value; the loss is the mean of nllᵢ over the
    hidden entries (Pathak et al. 2016; He et al. 2022). Rows of columns have each entry hidden with probability `rate`,
    mᵢ ~ Bernoulli(rate), and pass dense layers. Images, and flat rows that are evidently images, have a block, a stroke
    or single pixels hidden (`Blocks`), and pass convolutions. When: to fill gaps and holes (`AutoEncoder.fill`), or to
    predict each column from the others. When not: compression; visible entries do not count in the loss, so they are
    reconstructed less exactly, and the code is wide.

    Parameters
    ----------
    latent : int or float
        K, a whole number of at least 1; or a share of the variance in (0, 1), which the code must explain.
    rate : float
        Share of hidden entries in rows of columns, in (0, 1): 0.15 to 0.5.
    hidden : tuple of int
        Units of each hidden layer for rows of columns, from the input to the code.
    channels : tuple of int
        Channels after each layer for images, which halves height and width.
    shape : tuple of int, optional
        (H, W) or (H, W, C) of images that `fit` is given as flat rows, if it cannot be seen in them.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> masked().corruption.images
    Blocks(blocks=0.6, strokes=0.2, pixels=0.2, size=(0.2, 0.5), rate=(0.1, 0.9), score='hidden', shape=None)
    """
    holes, layers = Blocks(shape=shape), Convolutional(shape, channels)
    parts: dict[str, object] = {"encoder": layers, "corruption": holes}
    if shape is None:
        parts["encoder"] = ByShape(Dense(hidden), layers)
        parts["corruption"] = ByShape(Masking(rate, mark=True, score="hidden"), holes)
    return composed(settings, latent=latent, **parts)
