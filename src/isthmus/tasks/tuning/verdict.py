"""`Verdict`: the tuned model beside the defaults, on rows that no trial has seen."""

import math
from dataclasses import dataclass

from scipy.stats import t as student_t

LEVEL = 0.95
"""Share of the cases in which an interval holds the difference."""


@dataclass(frozen=True)
class Verdict:
    """Whether the tuned model is better than the defaults on rows that no trial has seen.

    Attributes
    ----------
    measure : str
        What was measured.
    tuned, defaults : float
        Its value for either; equal where the search took the defaults.
    gain : float
        By how much the tuned model is better: the difference, in the direction that is better.
    standard_error : float
        Of the gain, paired over rows.
    rows, freedom : int
        Rows on which both were measured, and the degrees of freedom of the interval: one less than the rows, or than
        those of the rarer kind.
    searched : bool
        Whether the search took anything but the defaults.
    longer : float or None
        The value of the defaults trained for longer, if they were tried and are not the tuned model.

    Examples
    --------
    >>> print(Verdict("error", 0.2, 0.3, 0.1, 0.01, 100, 99, True))
    tuned wins: error 0.2 against 0.3 of the defaults, better by 0.1 ± 0.0198 (95 %), on 100 rows that no trial has seen
    """

    measure: str
    tuned: float
    defaults: float
    gain: float
    standard_error: float
    rows: int
    freedom: int
    searched: bool
    longer: float | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the gain."""
        half = self.half_width
        return self.gain - half, self.gain + half

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        if self.freedom < 1:
            return math.inf
        return float(student_t.ppf(0.5 + LEVEL / 2, self.freedom)) * self.standard_error

    @property
    def wins(self) -> bool:
        """Whether the tuned model is better beyond chance; else the defaults stand."""
        return self.searched and self.interval[0] > 0

    def __str__(self) -> str:
        where = f"on {self.rows:,} rows that no trial has seen"
        if not self.searched:
            return (
                f"the defaults stand: no trial was better by more than one standard error; {self.measure} "
                f"{self.defaults:.4g} {where}"
            )
        numbers = f"{self.measure} {self.tuned:.4g} against {self.defaults:.4g} of the defaults"
        beside = "" if self.longer is None else f"; the defaults trained for longer: {self.longer:.4g}"
        change = f"better by {self.gain:.3g}" if self.gain >= 0 else f"worse by {-self.gain:.3g}"
        found = f"{numbers}, {change} ± {self.half_width:.3g} (95 %), {where}{beside}"
        if self.wins:
            return f"tuned wins: {found}"
        return f"the defaults stand: the best trial is not better beyond chance: {found}"
