"""`TrialRow`: one row of the table of a search."""

from collections.abc import Sequence
from typing import TypedDict

DEFAULTS = "defaults"
"""The note of the trial of the defaults."""


class TrialRow(TypedDict):
    """What is told of one trial."""

    trial: int
    """Its number."""
    state: str
    """Complete, pruned, failed, or running in another process."""
    value: float | None
    """What the objective measured; of a pruned trial, when it was last looked at."""
    behind: float | None
    """By how much its loss is above that of the best trial."""
    standard_error: float | None
    """The standard error of that difference, paired over rows."""
    latent: int | None
    """The size of the code."""
    weights: int | None
    """Weights of the network."""
    seconds: float | None
    """How long it took."""
    parameters: dict[str, object]
    """Where it differs from the defaults."""
    note: str
    """What else is to be said, such as an error."""


def value_of_defaults(table: Sequence[TrialRow]) -> float:
    """Return the value of the trial of the defaults, which every table has."""
    return next(row["value"] for row in table if row["note"] == DEFAULTS and row["value"] is not None)
