"""`Claim`: a statement, whose it is, what was measured, and what follows from that."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

MARGIN = 0.05
"""Two numbers that differ by less than this share decide nothing. Another library for matrix products changes the last
digits of the weights, and training enlarges that: with one seed the paper's sigmoid + BCE ended at 0.00690 and 0.00658,
its ReLU + MSE at 0.01798 and 0.01824."""


class Source(StrEnum):
    """Whose a claim is."""

    PAPER = "paper"
    NOTEBOOK = "notebook"
    ISTHMUS = "isthmus"


class Claim(NamedTuple):
    """A statement, and what was measured."""

    claim: str
    source: Source
    holds: bool | None
    """What the numbers say; None if one of them is too near its bound, or if nothing follows from this run."""
    evidence: str
    """The measurements in words."""
    not_checked: str = ""
    """Why nothing follows from this run, such as "3 epochs"; empty if something does."""

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        if self.not_checked:
            return f"not judged: {self.not_checked}"
        return {True: "holds", False: "does not hold", None: "too close to call"}[self.holds]

    def without_verdict(self, reason: str) -> "Claim":
        """Return the same claim without a verdict, for a reason; if there is no reason, the claim as it is."""
        return self._replace(holds=None, not_checked=reason) if reason else self


def below(value: float, bound: float, margin: float = MARGIN) -> bool | None:
    """Return whether a positive value is below a bound; None if they differ by less than a share of the bound."""
    if abs(value - bound) < margin * abs(bound):
        return None
    return value < bound


def every(*verdicts: bool | None) -> bool | None:
    """Return whether all hold: False if one does not, else None if one is not known."""
    if False in verdicts:
        return False
    return None if None in verdicts else True


def compared(value: float, other: float) -> str:
    """Return in words how much less or more a positive value is than another one."""
    change = value / other - 1
    if abs(change) < MARGIN:
        return f"within {100 * MARGIN:.0f} % of it"
    return (
        f"{100 * abs(change):.0f} % {'less' if change < 0 else 'more'}" if change < 1 else f"{change + 1:.1f} times it"
    )


def agreed(per_seed: list[Claim]) -> Claim:
    """Return the claim of the first seed; its verdict is that of every seed, or none where the seeds differ."""
    first, found = per_seed[0], {claim.holds for claim in per_seed}
    if len(per_seed) == 1 or first.not_checked:
        return first
    holding = sum(claim.holds is True for claim in per_seed)
    evidence = f"{first.evidence} (This is the first seed; the claim holds with {holding} of {len(per_seed)}.)"
    return first._replace(holds=found.pop() if len(found) == 1 else None, evidence=evidence)


class Tally(NamedTuple):
    """How many of some claims hold."""

    held: str
    """Such as "5 of 7"; empty if none has a verdict."""
    rest: str
    """What there is to say of the others, such as "2 too close to call"; empty if there is nothing."""


def tally(claims: Sequence[Claim]) -> Tally:
    """Count the claims that hold among those that have a verdict."""
    checked = [claim for claim in claims if not claim.not_checked]
    close = sum(claim.holds is None for claim in checked)
    left = [claim.not_checked for claim in claims if claim.not_checked]
    rest = [f"{close} too close to call"] if close else []
    rest += [f"{len(left)} not judged: {left[-1]}"] if left else []
    held = f"{sum(claim.holds is True for claim in checked)} of {len(checked)}" if checked else ""
    return Tally(held, ", ".join(rest))
