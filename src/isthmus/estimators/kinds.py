"""The estimators and presets that a file may name; they are imported when they are first asked for."""

from collections.abc import Callable
from typing import Any

import isthmus
from isthmus.core import registry
from isthmus.core.choices import unknown
from isthmus.estimators.autoencoder import AutoEncoder

Preset = Callable[..., AutoEncoder]
"""A function of `isthmus.zoo`."""


def estimator_named(name: str) -> Any:
    """Return the class of the estimator of that name, however it is written: "anomaly_detector", "AnomalyDetector".

    Raises
    ------
    ValueError
        If there is none; the message says which there are.

    Examples
    --------
    >>> estimator_named("imputer").__name__
    'Imputer'
    """
    for public in isthmus.__all__:
        if letters(public) == letters(name):
            getattr(isthmus, public)  # registers what it defines
    known = {letters(kind.__name__): kind for kind in registry.parts("estimator").values()}
    if letters(name) not in known:
        raise ValueError(unknown("model", name, estimator_names()))
    return known[letters(name)]


def estimator_names() -> list[str]:
    """Return the names of all estimators."""
    for public in isthmus.__all__:
        getattr(isthmus, public)
    return [kind.__name__ for kind in registry.parts("estimator").values()]


def letters(name: str) -> str:
    """Return a name in lower case without what joins its words."""
    return name.lower().replace("_", "").replace("-", "")


def preset_named(name: str) -> Preset:
    """Return the preset of that name.

    Raises
    ------
    ValueError
        If there is none; the message says which there are.

    Examples
    --------
    >>> preset_named("variational")(latent=2).code
    'gaussian'
    """
    known = presets()
    plain = name.replace("-", "_")
    if plain not in known:
        raise ValueError(unknown("preset", name, known))
    return known[plain]


def presets() -> dict[str, Preset]:
    """Return all presets by name, those of other packages too."""
    return {preset.__name__: preset for family in isthmus.zoo.FAMILIES.values() for preset in family}
