"""`Target`: what rows are known to be, such as classes or numbers; kept out of training, drawn and predicted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.data.gaps import is_gap
from isthmus.reports.cut import cut
from isthmus.tasks.anomaly.shown import shown

MOST_CLASSES = 12
"""Numbers with more different values are numbers; with fewer, the names of classes. So many names are put in order."""
LONGEST_CLASS = 32
"""Characters of the name of a class beyond which it is cut."""


@dataclass(frozen=True, eq=False)
class Target:
    """The target of the rows of a sample.

    Attributes
    ----------
    name : str
        Its name; "target" if it has none.
    texts : tuple of str
        The value of each row in words; "missing" if it is not known.
    numbers : ndarray of shape (s,) or None
        The values, NaN where missing, if they are numbers; None for classes.
    classes : tuple of str
        The names of the classes; of many, the most frequent ones come first. None for numbers.
    codes : ndarray of shape (s,)
        The class of each row, by its place among `classes`; -1 where missing, and for numbers.
    """

    name: str
    texts: tuple[str, ...]
    numbers: np.ndarray | None
    classes: tuple[str, ...]
    codes: np.ndarray

    @classmethod
    def of(cls, name: str, values: Sequence[object]) -> "Target":
        """Return the target with these values, one per row of a sample."""
        texts = tuple(cut(shown(value), LONGEST_CLASS) for value in values)
        there = [not is_gap(value) for value in values]
        known = [value for value, present in zip(values, there, strict=True) if present]
        nothing = np.full(len(values), -1)
        if all(isinstance(value, int | float) for value in known) and len(set(known)) > MOST_CLASSES:
            numbers = [float(str(value)) if present else np.nan for value, present in zip(values, there, strict=True)]
            return cls(name, texts, np.array(numbers), (), nothing)
        counts = Counter(text for text, present in zip(texts, there, strict=True) if present)
        classes = in_order([text for text, _ in counts.most_common()])
        places = {text: place for place, text in enumerate(classes)}
        codes = [places[text] if present else -1 for text, present in zip(texts, there, strict=True)]
        return cls(name, texts, None, tuple(places), np.array(codes, dtype=np.int64))


def in_order(names: list[str]) -> list[str]:
    """Return the names of classes in the order of their numbers, or of the alphabet, if they are few; else as they are.

    >>> in_order(["10", "9"]), in_order(["b", "a"])
    (['9', '10'], ['a', 'b'])
    """
    if len(names) > MOST_CLASSES:
        return names
    try:
        return sorted(names, key=float)
    except ValueError:
        return sorted(names)
