"""Rows that belong together, as overlapping windows of a series do: held out together, counted as one."""

import numpy as np
from numpy.typing import ArrayLike

from isthmus.estimators.validation import group_numbers

LEAST_GROUPS = 4
"""Fewest groups of which some can be held out in turn."""
MANY_GROUPS = 500
"""Number of groups from which a fifth is held out once; fewer are held out in turn."""


def group_codes(groups: ArrayLike, rows: int) -> np.ndarray:
    """Return the group of each row as a number from 0, (n,).

    Raises
    ------
    ValueError
        If there are not as many labels as rows, a label is missing, or there are too few groups.

    Examples
    --------
    >>> group_codes(["b", "b", "a", "c", "d"], 5).tolist()
    [1, 1, 0, 2, 3]
    """
    codes = group_numbers(groups, rows)
    assert codes is not None, "there are groups"
    known = int(codes.max()) + 1
    if known < LEAST_GROUPS:
        raise ValueError(
            f"groups has {known} different labels; at least {LEAST_GROUPS} are needed, since whole groups are "
            "held out to calibrate: cut the rows into more groups"
        )
    return codes


def group_weights(codes: np.ndarray) -> np.ndarray:
    """Return one over the size of each row's group, (n,), so that the weights of a group add up to 1.

    >>> group_weights(np.array([0, 0, 1])).tolist()
    [0.5, 0.5, 1.0]
    """
    _, own, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    return 1.0 / sizes[own]


def held_out_groups(codes: np.ndarray, fraction: float | str | None, rng: np.random.Generator) -> np.ndarray:
    """Return which rows to hold out for calibration, (n,) bool: those of whole groups drawn at random.

    Parameters
    ----------
    codes
        (n,) the group of each row.
    fraction
        The `calibration_fraction` of the detector; "auto" holds out none if groups are too few for one split.
    rng
        Draws the groups.
    """
    known = np.unique(codes)
    if isinstance(fraction, str):
        count = len(known) // 5 if len(known) >= MANY_GROUPS else 0
    else:
        count = 0 if fraction is None else min(max(1, round(fraction * len(known))), len(known) - 2)
    return np.isin(codes, rng.permutation(known)[:count])
