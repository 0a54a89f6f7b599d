"""The discrete family: each row becomes a few whole numbers."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.discrete_codes import FSQ, VectorQuantizer
from isthmus.zoo.preset import composed, preset


@preset("discrete")
def vector_quantised(latent: int = 32, codes: int = 512, width: int | None = None, **settings: object) -> AutoEncoder:
    r"""Vector-quantised autoencoder (VQ-VAE): each group of the code is replaced by the nearest codeword.

    z (K,) as K/width vectors; e = argmin‖z - e_c‖; nll + 0.25‖z - sg e‖². Codewords are running means of the vectors
    that they replace (van den Oord, Vinyals and Kavukcuoglu 2017), and gradients use the rotation trick (Fifty et al.
    2024). When: tokens for a sequence model, or strong compression. When not: a smooth code is wanted.

    Parameters
    ----------
    latent : int
        K, a multiple of the width.
    codes : int
        Number of codewords, at least 2.
    width : int, optional
        Numbers per codeword; None means the largest divisor of K up to 8.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> vector_quantised(codes=64).code.codes
    64
    """
    return composed(settings, latent=latent, code=VectorQuantizer(codes, width))


@preset("discrete")
def finite_scalar_quantised(
    latent: int = 32, levels: tuple[int, ...] = (8, 5, 5, 5), **settings: object
) -> AutoEncoder:
    r"""Finite scalar quantisation: each coordinate is bounded and rounded to one of a few levels.

    zⱼ = round(bound(hⱼ)), (K,). Each group has Π levels codewords without a codebook, so that none can die (Mentzer et
    al. 2023). When: as for `vector_quantised`, with less that can go wrong. When not: codewords must be meaningful
    vectors.

    Parameters
    ----------
    latent : int
        K, a multiple of the number of levels.
    levels : tuple of int
        Number of levels of each coordinate of a group, each at least 2; the groups make up the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Returns
    -------
    AutoEncoder
        Not yet fitted.

    Examples
    --------
    >>> finite_scalar_quantised(latent=8).code.levels
    (8, 5, 5, 5)
    """
    return composed(settings, latent=latent, code=FSQ(levels))
