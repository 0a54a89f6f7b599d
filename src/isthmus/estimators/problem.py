"""`Problem`: what a check after training found, with the measured figure and what to do."""

from typing import NamedTuple


class Problem(NamedTuple):
    """Something that went wrong in a training without an error; as text, a sentence.

    Examples
    --------
    >>> print(Problem("dead-outputs", "3 columns are reconstructed as 0 for every row", "take init='pca'", 3))
    3 columns are reconstructed as 0 for every row; take init='pca'
    """

    name: str
    """A short name that stays the same between versions."""
    what: str
    """What was measured, in words."""
    mend: str
    """What to do."""
    value: float
    """The measured figure."""

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}"
