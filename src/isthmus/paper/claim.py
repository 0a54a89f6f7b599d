"""`Claim`: a statement of the paper or of ours, and what was measured."""

from typing import NamedTuple


class Claim(NamedTuple):
    """A statement, whether the measurements support it, and the measurements in words."""

    claim: str
    holds: bool
    evidence: str
