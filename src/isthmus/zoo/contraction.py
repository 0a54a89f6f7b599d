"""The contractive family: codes that small changes of the row leave alone."""

from typing import Any

from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.contraction import Contractive
from isthmus.zoo.preset import preset


def contractive(latent: int = 256, weight: float = 1.0, hidden: tuple[int, ...] = (), **settings: Any) -> AutoEncoder:
    r"""Contractive autoencoder: nll + λ‖∂z/∂x‖²_F, z = σ(Wx + b), (K,), tied weights.

    For one sigmoid layer ‖J‖² = Σⱼ [zⱼ(1 - zⱼ)]² Σᵢ Wⱼᵢ² (Rifai et al. 2011). When: features for classification, local
    directions of variation. When not: deep encoders of large codes, for which the penalty costs a pass a coordinate.

    Parameters
    ----------
    latent : int
        K.
    weight : float
        λ.
    hidden : tuple of int
        Widths from the input to the code.
    **settings
        Any other parameter of `AutoEncoder`.

    Examples
    --------
    >>> contractive(latent=100).penalty.weight
    1.0
    """
    parts: dict[str, Any] = {"code": Deterministic("sigmoid"), "decoder": "tied", "penalty": Contractive(weight)}
    return preset(settings, latent=latent, hidden=hidden, **parts)
