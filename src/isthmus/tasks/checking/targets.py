"""What a target is: classes, or numbers."""

from isthmus.data.fields import Name
from isthmus.tasks.checking.samples import FEW_LEVELS, ColumnSample

BESIDE = -1
"""Stands for the name of a target that was given beside X."""


def is_class(target: ColumnSample) -> bool:
    """Whether a target holds classes: words, booleans, or few whole numbers."""
    if target.is_words or target.field.sort == "boolean":
        return True
    return target.whole and target.distinct <= FEW_LEVELS


def named_target(target: ColumnSample) -> tuple[Name, ...]:
    """Return the name of a target that was a column of X; nothing of one that was given beside it."""
    return () if target.name == BESIDE else (target.name,)
