"""How a preset and the settings of a user become an estimator."""

from collections.abc import Callable, Mapping
from typing import cast

from isthmus.estimators import AutoEncoder


def preset(settings: Mapping[str, object], **parts: object) -> AutoEncoder:
    """Return the estimator with the parts of a preset, except where the user's settings replace them.

    Parameters
    ----------
    settings
        Parameters of `AutoEncoder` that the user gave.
    **parts
        Parameters of `AutoEncoder` that make the preset.

    Raises
    ------
    TypeError
        If `AutoEncoder` has no parameter of such a name.
    """
    if settings.get("encoder") is not None:
        parts.pop("hidden", None)  # the user's encoder replaces the preset's layers
    return cast(Callable[..., AutoEncoder], AutoEncoder)(**parts | dict(settings))
