"""`Floor`: what a closed form of the same size reaches on held-out rows, beside the trained autoencoder."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from scipy.stats import t as student_t

from isthmus.core.json_type import Json
from isthmus.core.typed_json import typed

INTERVAL = 0.95
"""Share of the cases in which `Floor.interval` holds the gain."""
SIGNIFICANT, SIGNIFICANT_CROSSED = 0.05, 0.01
"""P-values below which a model takes the place of a closed form, on held-out rows and in cross-validation.

Few rows are the best of many epochs by chance, and the rows of different folds share what was trained on.
"""
ROUNDING, NOTHING = 1e-6, 1e-8
"""Parts of the closed form's error and of the variance by which a model may be above it."""


@dataclass(frozen=True)
class Floor:
    """The error of a closed form on held-out rows, and that of the model on the same rows.

    Attributes
    ----------
    method : str
        The closed form, such as "PCA with 8", "Wiener filter with 8" where noise is to be undone, or "Gaussian of 8",
        given the cells that are seen, where hidden cells are to be filled.
    error, model_error : float
        Mean squared error per cell, of hidden cells alone where these are to be filled, of the closed form and of the
        model, in scaled units; a deviance for tables of several kinds of columns and counts (`docs/design.md`).
    change, standard_error : float
        Mean over the rows of the model's error minus that of the closed form, and its standard error.
    rows : int
        Held-out rows, or groups of them; equal rows of few are one.
    variance : float
        Mean squared deviation of held-out cells from the means of the training rows: the error without any code.
    p_value : float
        Probability that the model has so much less error by chance: twice the lesser of those of a paired t-test and of
        Wilcoxon's signed-rank test, which a few wild rows do not decide; in cross-validation that of the t-test;
        one-sided.
    returned : bool
        Whether the closed form was returned in place of the model, which had more error, or less within chance.
    folds : int
        Parts that the rows were cut into for cross-validation, with models of their own; 0 if rows were held out.

    Examples
    --------
    >>> print(Floor("PCA with 8", 0.02, 0.015, -0.005, 0.0005, 100, 1.0))
    held-out error 0.0150; PCA with 8 0.0200: 25 % less (95 %: 20 to 30), on 100 rows
    """

    method: str
    error: float
    model_error: float
    change: float
    standard_error: float
    rows: int
    variance: float
    p_value: float = 1.0
    returned: bool = False
    folds: int = 0

    @property
    def gain(self) -> float:
        """Part of the closed form's error that the model does without; negative if it has more."""
        return -self.change / self.error if self.error > 0 else 0.0

    @property
    def kept_error(self) -> float:
        """The error of what was kept: of the model, or of the closed form in its place."""
        return self.error if self.returned else self.model_error

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `gain`, paired over rows."""
        half = self.deviations(0.5 + INTERVAL / 2) * self.standard_error / self.error if self.error > 0 else 0.0
        return self.gain - half, self.gain + half

    def deviations(self, share: float) -> float:
        """Return the quantile of Student's t distribution for that many rows; infinity for one."""
        return float(student_t.ppf(share, self.rows - 1)) if self.rows > 1 else math.inf

    @property
    def reached(self) -> bool:
        """Whether the model's error is no larger than that of the closed form, but for rounding."""
        return self.change <= ROUNDING * self.error + NOTHING * self.variance

    @property
    def won(self) -> bool:
        """Whether the model is better than the closed form beyond rounding and chance.

        Its `p_value` must be below 5 %, and below 1 % in cross-validation.
        """
        level = SIGNIFICANT_CROSSED if self.folds else SIGNIFICANT
        return self.p_value < level and self.change < -max(ROUNDING * self.error, NOTHING * self.variance)

    @property
    def kept(self) -> bool:
        """Whether the model is no worse than the closed form beyond one standard error."""
        return self.reached or self.change <= self.standard_error

    def __str__(self) -> str:
        low, high = (100 * end for end in self.interval)
        word, ends = ("less", (low, high)) if self.gain >= 0 else ("more", (-high, -low))
        # No end is "-0".
        start, stop = (f"{round(end, 0) + 0.0:.0f}" for end in ends)
        errors = f"held-out error {self.model_error:#.3g}; {self.method} {self.error:#.3g}"
        comparison = f"{100 * abs(self.gain):.0f} % {word} (95 %: {start} to {stop})"
        returned = f"; {self.method} returned" if self.returned else ""
        how = f" in {self.folds}-fold cross-validation" if self.folds else ""
        return f"{errors}: {comparison}, on {self.rows:,} rows{how}{returned}"

    def to_dict(self) -> dict[str, Json]:
        """Return plain numbers and strings by field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return the floor of which `to_dict` returned `plain`."""
        return typed(cls, plain)
