"""The resolution of columns: numbers are recorded in steps, within which no reconstruction can be told to be better."""

import torch
from torch import Tensor

ROUNDING = 1e-9
"""Differences below this part of a column's range are rounding, not steps."""


def resolution_variances(x: Tensor) -> Tensor:
    """Return the variance of the rounding of each column, (F,) float64, for rows x (n, F).

    That is step² / 12 for the least step between two values of a column, a uniform error. A column of one value has the
    median of the others; 0 if there are none. Missing cells (NaN) do not count.

    >>> resolution_variances(torch.tensor([[0.0, 1.0], [2.0, 1.0], [8.0, 1.0], [4.0, 1.0]])).tolist()
    [0.3333333333333333, 0.3333333333333333]
    """
    ordered = x.double().sort(0).values
    span = (ordered.nan_to_num(-torch.inf).max(0).values - ordered[0]).nan_to_num(0)
    gaps = ordered.diff(dim=0)
    steps = torch.where(gaps > ROUNDING * span, gaps, torch.inf).nan_to_num(torch.inf, torch.inf).amin(0)
    known = steps.isfinite()
    middle = steps[known].median() if bool(known.any()) else torch.zeros((), dtype=torch.float64)
    return torch.where(known, steps, middle).square() / 12
