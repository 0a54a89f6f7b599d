"""The discrete family: a row becomes a few whole numbers."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.discrete_codes import FSQ, VectorQuantizer
from isthmus.zoo.preset import preset


def vector_quantised(latent: int = 32, codes: int = 512, width: int | None = None, **settings: Any) -> AutoEncoder:
    r"""Vector-quantised autoencoder (VQ-VAE): each group of the code is replaced by the nearest codeword.

    z (K,) as K/width vectors; e = argmin‖z - e_c‖; nll + 0.25‖z - sg e‖², codewords as running means of what they stand
    for (van den Oord, Vinyals and Kavukcuoglu 2017), gradients by the rotation trick (Fifty et al. 2024). When: tokens
    for a sequence model, or strong compression. When not: a smooth code is wanted.

    Parameters
    ----------
    latent : int
        K, a multiple of the width.
    codes : int
        Codewords.
    width : int, optional
        Numbers a codeword.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> vector_quantised(codes=64).code.codes
    64
    """
    return preset(settings, latent=latent, code=VectorQuantizer(codes, width))


def finite_scalar_quantised(latent: int = 32, levels: tuple[int, ...] = (8, 5, 5, 5), **settings: Any) -> AutoEncoder:
    r"""Finite scalar quantisation: each coordinate is bounded and rounded to one of a few levels.

    zⱼ = round(bound(hⱼ)), (K,); Π levels codewords a group without a codebook, so that none can die (Mentzer et al.
    2023). When: as for `vector_quantised`, with less to go wrong. When not: codewords are to be vectors that mean
    something.

    Parameters
    ----------
    latent : int
        K, a multiple of the number of levels.
    levels : tuple of int
        Levels of the coordinates, repeated over the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> finite_scalar_quantised(latent=8).code.levels
    (8, 5, 5, 5)
    """
    return preset(settings, latent=latent, code=FSQ(levels))
