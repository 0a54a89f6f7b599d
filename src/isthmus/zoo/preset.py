"""How a preset becomes known, and how its parts and the settings of a user become an estimator."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from isthmus.estimators import AutoEncoder

FAMILIES: dict[str, list[Callable[..., AutoEncoder]]] = {
    "plain": [],
    "denoising": [],
    "sparse": [],
    "contractive": [],
    "variational": [],
    "matching": [],
    "discrete": [],
    "convolutional": [],
}
"""All presets by family; families are in the order of `describe`, and a new family comes last."""

Preset = TypeVar("Preset", bound=Callable[..., AutoEncoder])


def preset(family: str) -> Callable[[Preset], Preset]:
    """Return a decorator that registers a function as a preset.

    Parameters
    ----------
    family : str
        The family under which `describe` lists it; a new name makes a new family.

    Returns
    -------
    callable
        The decorator; it returns the function unchanged.

    Raises
    ------
    ValueError
        If another function is a preset of that name.

    Examples
    --------
    >>> @preset("for the example")
    ... def tiny(**settings):
    ...     return composed(settings, latent=1)
    >>> tiny(epochs=3)
    AutoEncoder(epochs=3, latent=1)
    >>> [found.__name__ for found in FAMILIES.pop("for the example")]
    ['tiny']
    """

    def registered(function: Preset) -> Preset:
        remove_earlier(function)
        FAMILIES.setdefault(family, []).append(function)
        return function

    return registered


def remove_earlier(function: Callable[..., AutoEncoder]) -> None:
    """Remove an earlier definition of the same preset, as in a notebook; refuse another one of that name."""
    for presets in FAMILIES.values():
        for known in [known for known in presets if known.__name__ == function.__name__]:
            if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
                raise ValueError(
                    f"there is a preset called {function.__name__!r} already, in {known.__module__}; give the one in "
                    f"{function.__module__} another name"
                )
            presets.remove(known)


def composed(settings: Mapping[str, object], **parts: object) -> AutoEncoder:
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
