"""The family tree of presets as a table."""

from isthmus.estimators import AutoEncoder
from isthmus.zoo.preset import FAMILIES

SLOTS = ("encoder", "code", "penalty", "objective", "corruption", "init")
"""The parameters in which presets differ."""


def describe() -> str:
    """Return the family tree as a table: family, preset, and the parts that differ from the defaults.

    Examples
    --------
    >>> print(describe().splitlines()[0])
    family         preset                     made of
    """
    lines = [f"{'family':<15}{'preset':<27}made of"]
    for family, presets in FAMILIES.items():
        for number, preset in enumerate(presets):
            lines.append(f"{family if number == 0 else '':<15}{preset.__name__:<27}{made_of(preset())}")
    return "\n".join(lines)


def made_of(estimator: AutoEncoder) -> str:
    """Return the names of the parts of a preset that differ from the defaults of `AutoEncoder`."""
    usual = AutoEncoder()
    parts = [getattr(estimator, slot) for slot in SLOTS if getattr(estimator, slot) != getattr(usual, slot)]
    if estimator.decoder is not None:
        parts.append(f"{estimator.decoder} decoder")
    return ", ".join(words(part) for part in parts) or "hidden layers and a narrow code"


def words(part: object) -> str:
    """Return the name of a part, or the names of several."""
    if isinstance(part, list | tuple):
        return " + ".join(map(words, part))
    return part if isinstance(part, str) else type(part).__name__
