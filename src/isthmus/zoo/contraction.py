"""The contractive family: codes that change little when the row changes."""

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.contraction import Contractive
from isthmus.zoo.preset import composed, preset


@preset("contractive")
def contractive(
    latent: int = 256, weight: float = 1.0, hidden: tuple[int, ...] = (), **settings: object
) -> AutoEncoder:
    r"""Contractive autoencoder: nll + λ‖∂z/∂x‖²_F, z = σ(Wx + b), (K,), tied weights.

    For one sigmoid layer ‖J‖² = Σⱼ [zⱼ(1 - zⱼ)]² Σᵢ Wⱼᵢ² (Rifai et al. 2011). When: features for classification, local
    directions of variation. When not: deep encoders of large codes, for which the penalty costs one pass per
    coordinate.

    Parameters
    ----------
    latent : int
        K, the units of the code.
    weight : float
        λ, in nats, at least 0.
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
    >>> contractive(latent=100).penalty.weight
    1.0
    """
    parts: dict[str, object] = {"code": Deterministic("sigmoid"), "decoder": "tied", "penalty": Contractive(weight)}
    return composed(settings, latent=latent, hidden=hidden, **parts)
