"""How a preset and what a user says otherwise become an estimator."""

from typing import Any

from isthmus.estimators import AutoEncoder


def preset(settings: dict[str, Any], **parts: Any) -> AutoEncoder:
    """Return the estimator of these parts, where the settings do not say otherwise."""
    return AutoEncoder(**parts | settings)
